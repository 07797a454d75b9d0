"""Apps that the user's hook makes, starts, stops, scales and deletes, where the suite has no means of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.client.client import Request
from purge_conformance.errors import HookFailed, StateUnsupported
from purge_conformance.evidence.listing import APPS
from purge_conformance.evidence.records import CHANGED
from purge_conformance.target.apps.suite_apps import Foundation
from purge_conformance.target.hook import Hook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.records import Exchange

STATES = {"start": "app started", "stop": "app stopped", "scale": "app scaled", "delete": "app deleted"}
UNTIMED = "the hook changes the apps, and nobody can time that by a purge; for it give --apps drive"


class HookedFoundation(Foundation):
    """The suite's own apps, as the hook makes them; each change is followed by a look at the app, as an exchange."""

    is_timed = False

    def __init__(self, client: Client) -> None:
        """Begin with nothing."""
        super().__init__(client)
        self._hook = Hook(client.settings)
        self._there: list[str] = []  # guids of the apps that were made

    @property
    def usable(self) -> bool:
        """No: what is sent in a sequence that is told as a script, a hook cannot do."""
        return False

    def start(self, label: str) -> bool:
        """Start an app; return whether that was possible."""
        return self._if_possible(lambda: super(HookedFoundation, self).start(label))

    def stop(self, label: str) -> bool:
        """Stop a started app; return whether that was possible."""
        return self._if_possible(lambda: super(HookedFoundation, self).stop(label))

    def scale(self, label: str, **size: int) -> bool:
        """Scale a started app, by `instances` or `memory_in_mb`; return whether that was possible."""
        return self._if_possible(lambda: super(HookedFoundation, self).scale(label, **size))

    def remove(self, guid: str, step: str) -> Exchange:
        """Ask for the deletion of an app; return a look at it."""
        self._ask("delete", guid)
        self._there.remove(guid)
        return self._looked(guid, step)

    def demolish(self) -> None:
        """Delete all that was made, and note what was left over."""
        left = []
        for guid in reversed(self._there):
            try:
                self._ask("delete", guid)
            except (HookFailed, StateUnsupported) as reason:
                left.append(f"{APPS}/{guid} ({reason})")
        self._client.note("left", left)

    def _build(self) -> None:
        self._client.note("untimed", UNTIMED)
        self._home = "of the hook's"
        self._if_possible(lambda: bool(super(HookedFoundation, self)._build()))

    def _spaces(self) -> tuple[str | None, str | None, str | None]:
        return "of the hook's", None, None

    def _app(self, label: str, names: Sequence[str], space: str) -> None:  # noqa: ARG002 -- the hook knows where
        guid = self._hook.set_up(STATES["stop"], name=names[-1]).get("app")
        if not isinstance(guid, str) or not guid:
            raise HookFailed(
                f"the hook set the state {STATES['stop']!r} and named no app: it answers with {{'app': GUID}}"
            )
        self.apps[label] = guid
        self._there.append(guid)

    def _delete(self, label: str) -> None:
        self._if_possible(lambda: bool(super(HookedFoundation, self)._delete(label)))

    def _change(self, label: str, change: str, step: str, **size: int) -> Exchange:
        self._ask(change, self.apps[label], **size)
        return self._looked(self.apps[label], step)

    def _ask(self, change: str, guid: str, **size: int) -> None:
        self._hook.set_up(STATES[change], app=guid, **size)

    def _looked(self, guid: str, step: str) -> Exchange:
        return self._client.send(Request("GET", f"{APPS}/{guid}", step, tags={CHANGED: "hook"}))

    def _if_possible(self, change: Callable[[], bool]) -> bool:
        try:
            return change()
        except (HookFailed, StateUnsupported) as reason:
            self.trouble = str(reason)
            return False
