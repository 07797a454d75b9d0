"""The suite's own apps on the target, to start, stop and scale; no other app is changed."""

from __future__ import annotations

import json
import time
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import resource_path
from purge_conformance.client.client import Request
from purge_conformance.config.apps import Mode
from purge_conformance.evidence import notes
from purge_conformance.evidence.listing import APPS, STARTED, STOPPED, dig
from purge_conformance.evidence.steps import App, Place, Step
from purge_conformance.target.apps.droplets import DropletProvider, DropletUnavailable
from purge_conformance.target.apps.hints import creation_hint, to_next_step
from purge_conformance.target.apps.patience import Patience
from purge_conformance.target.apps.resources import (
    ORGANIZATIONS,
    POLL_INTERVAL_S,
    POLLS,
    SPACES,
    ResourceManager,
    relationship,
    retry_once,
    summarize_response,
)
from purge_conformance.target.candidates import SPACES_PATH, describe_spaces, only_space

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.listing import Row
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.evidence.steps import Where

OBSERVE_MESSAGE = "the suite changes no apps in this run (--apps observe)"
SAME_NAME_LABEL = "twin"  # begins the name of both
SAME_NAME_APPS = (App.STARTED, App.OTHER_ORG)  # two apps with one name, in two organizations
# Of the apps with one name, or of `App.OTHER_ORG` alone, if the target accepts it.
UNUSUAL_NAME = "ÄÖü-漢字-" + "long-" * 20
VERY_UNUSUAL_NAME = f"🚀 'O\"Neil' 100% \\ {UNUSUAL_NAME}"  # tried first


class SuiteApps:
    """The suite's own apps on the target.

    Attributes:
        apps: the guids of the apps that exist.
        started: the started apps.
        error: why an app could not be created or started; empty if all succeeded.
        next_step: what lets the suite create and start apps; empty if it can, or if nothing better is known.
        is_timeable: whether a request changes an app, which can be sent at a chosen moment.
        patience: how long to wait for an event that is due.
    """

    is_timeable = True

    def __init__(self, client: Client, announce: Callable[[str], None] = lambda _: None) -> None:
        """Start without apps; `announce` gets the existing space in which apps are about to be created."""
        self._client, self._announce = client, announce
        self._settings = client.settings.apps
        self._resources = ResourceManager(client)
        self._droplets = DropletProvider(client, self._settings, self._resources.run)
        self._can_start = True
        self._home_space: str | None = None
        self._owners: dict[str, str] = {}  # guid -> that of its space or organization
        self.patience = Patience()
        self._deletion_polls = POLLS  # for a deleted app; one, after an app did not disappear
        self.apps: dict[App, str] = {}
        self.started: set[App] = set()
        self.error = ""
        self.next_step = ""

    def build(self) -> None:
        """Create the apps in the states that the scenarios need; nothing if apps are only observed."""
        if self._settings.mode is Mode.OBSERVE:
            self.error = OBSERVE_MESSAGE
            self.next_step = self._propose_space("Let the suite create apps: --apps drive")
        else:
            self._build_apps()
        self._client.note(notes.RUN, self._resources.run)
        self._client.note(notes.APPS, dict(self.apps))
        self._client.note(notes.APPS_ERROR, self.error)
        self._client.note(notes.APPS_NEXT_STEP, self.next_step)

    def _build_apps(self) -> None:
        home, second_space, other_org_space = self._create_spaces()
        self._home_space = home
        if not home:
            return
        spaces = {App.SCALED: second_space, App.OTHER_ORG: other_org_space}
        for app in App:
            self._create_app(app, self._app_names(app, single_org=not other_org_space), spaces.get(app) or home)
        for app in App:
            if app not in {App.TOGGLED, App.STOPPED}:
                self.start(app)
        self.scale(App.SCALED, instances=2, memory_in_mb=128)
        for app in (App.WITHOUT_INSTANCES, App.STOPPED_WITHOUT_INSTANCES):
            self.scale(app, instances=0)  # an app without instances counts as started until it is stopped
        for app in (App.STOPPED_WITHOUT_INSTANCES, App.OTHER_ORG):
            self.stop(app)
        self.start(App.OTHER_ORG)
        self._delete_app(App.DELETED)

    def start(self, app: App) -> bool:
        """Start an app; return whether it is started."""
        if app not in self.apps or not self._can_start:
            return False
        answer = self._change_app(app, "start", Place(Step.START_APP, app=app))
        self._can_start = self.reached_state(self.apps[app], STARTED, answer, Place(Step.AWAIT_STATE, app=app))
        if not self._can_start:
            self.error = f"an app of the suite could not be started: {summarize_response(answer)}"
            self.next_step = to_next_step(self._droplets.next_step(answer))
            return False
        self.started.add(app)
        return True

    def stop(self, app: App) -> bool:
        """Stop a started app; return whether it is stopped."""
        if app not in self.started:
            return False
        answer = self._change_app(app, "stop", Place(Step.STOP_APP, app=app))
        is_stopped = self.reached_state(self.apps[app], STOPPED, answer, Place(Step.AWAIT_STATE, app=app))
        if is_stopped:
            self.started.discard(app)
        return is_stopped

    def scale(self, app: App, **size: int) -> bool:
        """Scale a started app by `instances` or `memory_in_mb`; return whether that succeeded."""
        if app not in self.started:
            return False
        return self._change_app(app, "scale", Place(Step.SCALE_APP, app=app), **size).succeeded

    def restart(self, app: App) -> None:
        """Restart a started app."""
        if app in self.started:
            answer = self._change_app(app, "restart", Place(Step.RESTART_APP, app=app))
            if answer.succeeded and not self.reached_state(
                self.apps[app], STARTED, answer, Place(Step.AWAIT_STATE, app=app)
            ):
                self.started.discard(app)

    def change_droplet(self, app: App) -> None:
        """Assign a started app another copy of its droplet; nothing if it runs none."""
        if app in self.started:
            self._droplets.assign_copy(self.apps[app], Place(Step.ASSIGN_DROPLET, app=app))

    def rename(self, app: App) -> None:
        """Rename an app twice, and its space and its organization, each if this run created it."""
        guid = self.apps.get(app, "")
        space = self._owners.get(guid, "")
        organization = self._owners.get(space, "")
        self.rename_app(app, "once")
        self.rename_app(app, "renamed")
        if self._rename(SPACES, space, "purge-conformance-renamed"):
            self._client.get(resource_path(SPACES, space), Step.VERIFY_RENAME)
        self._rename(ORGANIZATIONS, organization, "purge-conformance-renamed")

    def rename_app(self, app: App, prefix: str) -> None:
        """Rename an app, if this run created it; the prefix is short, as a target may limit names."""
        self._rename(APPS, self.apps.get(app, ""), prefix, Place(Step.RENAME, app=app))

    def _rename(self, path: str, guid: str, prefix: str, where: Where = Step.RENAME) -> bool:
        """Send the request that renames a resource, if this run created it; return whether it was sent."""
        name = f"{prefix}-{self._resources.run}"
        return bool(guid) and self._resources.rename(resource_path(path, guid), name, where) is not None

    def existing(self, app: App, other: App) -> App:
        """Return the app if it exists, otherwise the other one."""
        return app if app in self.apps else other

    def record_event(self) -> bool:
        """Start or stop an app so that one event is recorded; return whether that succeeded."""
        return self.stop(App.TOGGLED) if App.TOGGLED in self.started else self.start(App.TOGGLED)

    def request(self, app: App, change: str, where: Where, *, instances: int = 1) -> Request:
        """Return the request that starts, stops or scales an app; the sender calls `sync_started` after it."""
        path = resource_path(APPS, self.apps[app])
        if change == "scale":
            body = json.dumps({"instances": instances})
            return Request(
                "POST",
                f"{path}/processes/web/actions/scale",
                where,
                headers={"Content-Type": "application/json"},
                body=body,
            )
        return Request("POST", f"{path}/actions/{change}", where)

    def sync_started(self, apps: Iterable[Row]) -> None:
        """Update `started` from rows of the list of apps."""
        states = {row["guid"]: row.get("state") for row in apps}
        self.started = {app for app, guid in self.apps.items() if states.get(guid) == STARTED}

    @property
    def is_usable(self) -> bool:
        """Whether apps could be created and started."""
        return self._home_space is not None and bool(self.apps) and self._can_start

    def delete_if_incomplete(self) -> None:
        """Delete the apps if not all of them could be created."""
        for app in list(self.apps) if self.error else ():
            self.remove(self.apps.pop(app), Step.FREE_QUOTA)
        self.started &= set(self.apps)

    def create_extra_app(self, name: str, where: Where) -> tuple[Exchange, str | None]:
        """Create one more app, stopped; return the response, and the guid once the app exists, or None."""
        name, relationships = f"{name}-{self._resources.run}", relationship("space", str(self._home_space))
        answer, guid = self._resources.create(
            APPS, name, where, relationships=relationships, lifecycle=self._droplets.lifecycle
        )
        if guid:
            self._provide_droplet(guid)
        return answer, guid

    def remove(self, guid: str, where: Where) -> Exchange:
        """Send the DELETE for an app of the suite."""
        self._droplets.forget_app(guid)
        return self._resources.remove(resource_path(APPS, guid), where)

    def is_gone(self, guid: str, where: Where) -> bool:
        """Return whether a deleted app answers 404, now or within a few polls."""
        path = resource_path(APPS, guid)
        for _ in range(self._deletion_polls):
            if self._client.get(path, where).status == HTTPStatus.NOT_FOUND:
                self._resources.forget(path)
                return True
            time.sleep(POLL_INTERVAL_S)
        self._deletion_polls = 1
        return False

    def reached_state(self, guid: str, state: str, answer: Exchange, where: Where) -> bool:
        """Return whether a start or stop succeeded and the app then has that state within a few polls."""
        if not answer.succeeded:
            return False
        for _ in range(POLLS):
            if not answer.succeeded or dig(answer.json, "state") == state:
                return True
            time.sleep(POLL_INTERVAL_S)
            answer = self._client.get(resource_path(APPS, guid), where)
        return False

    def delete_apps(self) -> None:
        """Delete all resources of the run, and note those that remain."""
        self._client.note(notes.RUN, self._resources.run)
        self._client.note(notes.LEFT, self._resources.remove_all())

    def _change_app(self, app: App, change: str, where: Where, **size: int) -> Exchange:
        web = "/processes/web" if change == "scale" else ""
        path = f"{resource_path(APPS, self.apps[app])}{web}/actions/{change}"
        return retry_once(partial(self._client.post, path, where, data=size or None))

    def _create_spaces(self) -> tuple[str | None, str | None, str | None]:
        """Return the apps' space, a second one in its organization and one in another; None if not created."""
        if self._settings.space:
            return self._settings.space, None, None
        name = f"purge-conformance-{self._resources.run}"
        first_org = self._create(ORGANIZATIONS, f"{name}-a")
        home = self._create_space(f"{name}-a", first_org)
        if not home:
            return self._find_space(), None, None
        second_org = self._create(ORGANIZATIONS, f"{name}-b")
        return home, self._create_space(f"{name}-c", first_org), self._create_space(f"{name}-b", second_org)

    def _find_space(self) -> str | None:
        """Return the only existing space, of a target on this machine; otherwise propose existing ones to the user."""
        page = self._client.get(SPACES_PATH, Step.FIND_SPACE)
        found = only_space(page) if self._client.settings.is_loopback else None
        if found is None:
            self.next_step = f"Give {describe_spaces(page)}, then run again."
            return None
        guid, description = found
        reason = (
            f"The suite creates its apps in the existing space {description}, the only one, because it can create no "
            f"other: {self.error}"
        )
        self._client.note(notes.HOME_SPACE, reason)
        self._announce(f"{reason}. To choose another: --space GUID")
        self.error = self.next_step = ""
        return guid

    def _propose_space(self, words: str) -> str:
        """Return these words, and the spaces that the user can name; on this machine, the words are enough."""
        if self._client.settings.is_loopback:
            return f"{words}, then run again."
        return f"{words} {describe_spaces(self._client.get(SPACES_PATH, Step.FIND_SPACE))}, then run again."

    def _create_space(self, name: str, organization: str | None) -> str | None:
        if not organization:
            return None
        guid = self._create(SPACES, name, relationships=relationship("organization", organization))
        if guid:
            self._owners[guid] = organization
        return guid

    def _app_names(self, app: App, *, single_org: bool) -> list[str]:
        """Return the names to try for an app, the most unusual first; within one space no two apps share a name."""
        run, prefix = self._resources.run, App.OTHER_ORG if single_org else SAME_NAME_LABEL
        is_unusual = app is App.OTHER_ORG or (app in SAME_NAME_APPS and not single_org)
        unusual_names = (
            [f"{prefix}-{run}-{VERY_UNUSUAL_NAME}", f"{prefix}-{run}-{UNUSUAL_NAME}", f"{prefix}-{run}"]
            if is_unusual
            else []
        )
        return [*unusual_names, f"{app}-{run}"]

    def _create_app(self, app: App, names: Sequence[str], space: str) -> None:
        before = self.error, self.next_step
        for name in names:
            guid = self._create(
                APPS, name, relationships=relationship("space", space), lifecycle=self._droplets.lifecycle
            )
            if guid:
                self.apps[app], self._owners[guid] = guid, space
                self.error, self.next_step = before
                self._provide_droplet(guid)
                return

    def _provide_droplet(self, guid: str) -> None:
        """Give an app its droplet; if that fails, no app is started from then on."""
        try:
            if self._can_start:
                self._droplets.provide(guid)
        except DropletUnavailable as reason:
            self._can_start, self.error = False, f"an app of the suite has no droplet: {reason}"

    def _create(self, path: str, name: str, **fields: object) -> str | None:
        answer, guid = self._resources.create(path, name, **fields)
        if not guid:
            problem = "named nothing that can be read and is this run's" if answer.succeeded else "created nothing"
            self.error = f"POST {path} {problem}: {summarize_response(answer)}"
            self.next_step = to_next_step(creation_hint(answer))
        return guid

    def _delete_app(self, app: App) -> None:
        """Delete a started app, and wait until it no longer exists."""
        if app not in self.started:
            return
        self.started.discard(app)
        guid = self.apps.pop(app)
        self.remove(guid, Step.DELETE)
        self.is_gone(guid, Step.AWAIT_DELETION)
