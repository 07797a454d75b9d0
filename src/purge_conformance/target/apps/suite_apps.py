"""Apps of the suite's own, to start, stop and scale; nobody else's app is ever touched."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING

from purge_conformance.client.client import Request
from purge_conformance.config.apps import Mode
from purge_conformance.evidence.listing import APPS, STARTED, STOPPED, member
from purge_conformance.target.apps.api import (
    NOT_FOUND,
    ORGANIZATIONS,
    PAUSE,
    SPACES,
    TRIES,
    Maker,
    in_words,
    is_done,
    to,
    twice_at_most,
)
from purge_conformance.target.apps.droplets import Equipment, NothingToRun, room

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.listing import Row
    from purge_conformance.evidence.records import Exchange

OBSERVED = "apps are observed, not driven. To let the suite make apps of its own: --apps drive --space GUID"
# What each app is for; should there be a quota, most depends on the first. The last lives in a second organization.
LABELS = ("mover", "steady", "scaled", "idle", "empty", "paused", "deleted", "elsewhere")
TWINS = ("steady", "elsewhere")  # apps of one name, in two organizations
ODD_NAME = "ÄÖü-漢字-" + "long-" * 20  # of the twins, or else of `elsewhere` alone, where the target takes it
ODDER_NAME = f"🚀 'O\"Neil' 100% \\ {ODD_NAME}"  # rather, where it takes that
PATIENT, HASTY = tuple(0.25 * number for number in range(1, 7)), (0.25,) * 6  # seconds between looks for an event


class Foundation:
    """The suite's own apps on the target.

    Attributes:
        apps: label -> guid of the apps that exist.
        started: labels of those that are started.
        trouble: why an app could not be made or started; empty where all is well.
        is_timed: whether an app is changed by a request, which can be sent at a given moment.
        pauses: seconds after each look for an event that is due; fewer, once one never came.
    """

    is_timed = True

    def __init__(self, client: Client) -> None:
        """Begin with nothing."""
        self._client = client
        self._driving = client.settings.driving
        self._maker = Maker(client)
        self._equipment = Equipment(client, self._driving, self._maker.run)
        self._startable = True
        self._home: str | None = None
        self.pauses = PATIENT
        self._patience = TRIES  # looks whether an app is gone; one, where once it never was
        self.apps: dict[str, str] = {}
        self.started: set[str] = set()
        self.trouble = ""

    def build(self) -> None:
        """Make the apps, in the states that the experiments need; nothing at all, where apps are only observed."""
        if self._driving.mode is Mode.OBSERVE:
            self.trouble = OBSERVED
        else:
            self._build()
        self._client.note("run", self._maker.run)
        self._client.note("apps", self.apps)
        self._client.note("trouble", self.trouble)

    def _build(self) -> None:
        home, beside, away = self._spaces()
        self._home = home
        if not home:
            return
        places = {"scaled": beside, "elsewhere": away}
        for label in LABELS:
            self._app(label, self._names(label, alone=not away), places.get(label) or home)
        for label in ("steady", "scaled", "empty", "paused", "deleted", "elsewhere"):
            self.start(label)
        self.scale("scaled", instances=2, memory_in_mb=128)
        for label in ("empty", "paused"):  # a started app without an instance is a started app, a stopped one is none
            self.scale(label, instances=0)
        for label in ("paused", "elsewhere"):
            self.stop(label)
        self.start("elsewhere")
        self._delete("deleted")

    def start(self, label: str) -> bool:
        """Start an app; return whether that was possible."""
        if label not in self.apps or not self._startable:
            return False
        answer = self._change(label, "start", f"start-{label}")
        self._startable = self.became(self.apps[label], STARTED, answer, f"became-{label}")
        if not self._startable:
            self.trouble = (
                f"an app of the suite's own could not be started: {in_words(answer)}{self._equipment.cure(answer)}"
            )
            return False
        self.started.add(label)
        return True

    def stop(self, label: str) -> bool:
        """Stop a started app; return whether that was possible."""
        if label not in self.started:
            return False
        answer = self._change(label, "stop", f"stop-{label}")
        done = self.became(self.apps[label], STOPPED, answer, f"became-{label}")
        if done:
            self.started.discard(label)
        return done

    def scale(self, label: str, **size: int) -> bool:
        """Scale a started app, by `instances` or `memory_in_mb`; return whether that was possible."""
        if label not in self.started:
            return False
        return is_done(self._change(label, "scale", f"scale-{label}", **size))

    def either(self, label: str, other: str) -> str:
        """Return a label, or another one where there is no such app."""
        return label if label in self.apps else other

    def stir(self) -> bool:
        """Make an ordinary event; return whether one was made."""
        return self.stop("mover") if "mover" in self.started else self.start("mover")

    def request(self, label: str, change: str, step: str, *, instances: int = 1) -> Request:
        """Return the request that starts, stops or scales an app, for whoever sends it and then lets `learn` know."""
        path = f"{APPS}/{self.apps[label]}"
        if change == "scale":
            body = json.dumps({"instances": instances})
            return Request(
                "POST",
                f"{path}/processes/web/actions/scale",
                step,
                headers={"Content-Type": "application/json"},
                body=body,
            )
        return Request("POST", f"{path}/actions/{change}", step)

    def learn(self, apps: Iterable[Row]) -> None:
        """Take from a look at apps which of the suite's own are started."""
        states = {row["guid"]: row.get("state") for row in apps}
        self.started = {label for label, guid in self.apps.items() if states.get(guid) == STARTED}

    @property
    def usable(self) -> bool:
        """Whether apps could be made and started."""
        return self._home is not None and bool(self.apps) and self._startable

    def make_room(self) -> None:
        """Delete the apps, if it was not possible to make all of them."""
        for label in list(self.apps) if self.trouble else ():
            self.remove(self.apps.pop(label), "make room")
        self.started &= set(self.apps)

    def further(self, name: str, step: str) -> tuple[Exchange, str | None]:
        """Ask for one more app, stopped, beside the first ones; return the answer, and its guid once it is there."""
        name, home = f"{name}-{self._maker.run}", to("space", str(self._home))
        answer, guid = self._maker.make(APPS, name, step, relationships=home, lifecycle=self._equipment.lifecycle)
        if guid:
            self._equip(guid)
        return answer, guid

    def remove(self, guid: str, step: str) -> Exchange:
        """Ask for the deletion of an app of the suite's own."""
        self._equipment.lose(guid)
        return self._maker.remove(f"{APPS}/{guid}", step)

    def is_gone(self, guid: str, step: str) -> bool:
        """Look whether a deleted app is gone for good, now or soon."""
        for _ in range(self._patience):
            if self._client.get(f"{APPS}/{guid}", step).status == NOT_FOUND:
                self._maker.forget(f"{APPS}/{guid}")
                return True
            time.sleep(PAUSE)
        self._patience = 1
        return False

    def became(self, guid: str, state: str, answer: Exchange, step: str) -> bool:
        """Return whether a start or a stop was answered with success, and the app tells of no other state for long."""
        if not is_done(answer):
            return False
        for _ in range(TRIES):
            if not is_done(answer) or member(answer.json, "state") == state:
                return True
            time.sleep(PAUSE)
            answer = self._client.get(f"/v3/apps/{guid}", step)
        return False

    def demolish(self) -> None:
        """Delete all that was made, and note what was left over."""
        self._client.note("run", self._maker.run)
        self._client.note("left", self._maker.remove_all())

    def _change(self, label: str, change: str, step: str, **size: int) -> Exchange:
        """Start, stop or scale an app."""
        web = "/processes/web" if change == "scale" else ""
        path = f"{APPS}/{self.apps[label]}{web}/actions/{change}"
        return twice_at_most(partial(self._client.post, path, step, data=size or None))

    def _spaces(self) -> tuple[str | None, str | None, str | None]:
        """Return the space for the apps, and if that is allowed another one beside it and one elsewhere."""
        if self._driving.space:
            return self._driving.space, None, None
        name = f"purge-conformance-{self._maker.run}"
        here = self._create(ORGANIZATIONS, f"{name}-a")
        home = self._space(f"{name}-a", here)
        if not home:
            return None, None, None
        there = self._create(ORGANIZATIONS, f"{name}-b")
        return home, self._space(f"{name}-c", here), self._space(f"{name}-b", there)

    def _space(self, name: str, organization: str | None) -> str | None:
        return self._create(SPACES, name, relationships=to("organization", organization)) if organization else None

    def _names(self, label: str, *, alone: bool) -> list[str]:
        """Return the names that an app may have, the oddest first; twins have the same, save in one space."""
        run, begins = self._maker.run, "elsewhere" if alone else "twin"
        is_odd = label == "elsewhere" or (label in TWINS and not alone)
        odd = [f"{begins}-{run}-{ODDER_NAME}", f"{begins}-{run}-{ODD_NAME}", f"{begins}-{run}"] if is_odd else []
        return [*odd, f"{label}-{run}"]

    def _app(self, label: str, names: Sequence[str], space: str) -> None:
        trouble = self.trouble
        for name in names:
            guid = self._create(APPS, name, relationships=to("space", space), lifecycle=self._equipment.lifecycle)
            if guid:
                self.apps[label], self.trouble = guid, trouble
                self._equip(guid)
                return

    def _equip(self, guid: str) -> None:
        """Give an app what it runs; where that cannot be done, no app is started."""
        try:
            if self._startable:
                self._equipment.give(guid)
        except NothingToRun as reason:
            self._startable, self.trouble = False, f"an app of the suite's own was given nothing to run: {reason}"

    def _create(self, path: str, name: str, **more: object) -> str | None:
        answer, guid = self._maker.make(path, name, **more)
        if not guid:
            self.trouble = f"POST {path} made nothing: {in_words(answer)}{room(answer)}"
        return guid

    def _delete(self, label: str) -> None:
        """Delete an app, and forget it unless it is soon gone for good."""
        if label not in self.started:
            return
        self.started.discard(label)
        guid = self.apps.pop(label)
        self.remove(guid, "delete")
        self.is_gone(guid, "gone")
