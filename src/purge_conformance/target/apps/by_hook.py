"""Apps that the user's hook creates, starts, stops, scales and deletes, for targets without API v3 for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import is_usable_guid, resource_path
from purge_conformance.client.client import Request
from purge_conformance.errors import BudgetExhausted, HookFailed, StateUnsupported
from purge_conformance.evidence import notes
from purge_conformance.evidence.listing import APPS
from purge_conformance.evidence.steps import YES, Tag
from purge_conformance.target.apps.suite_apps import SuiteApps
from purge_conformance.target.hook import Hook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.evidence.steps import App, Where

STATES = {"start": "app started", "stop": "app stopped", "scale": "app scaled", "delete": "app deleted"}
UNTIMED_MESSAGE = "the hook changes the apps, so a change cannot be timed to a purge"


class HookedApps(SuiteApps):
    """The suite's own apps, changed through the hook; a GET of the app after each change is its exchange."""

    is_timeable = False

    def __init__(self, client: Client) -> None:
        """Start without apps."""
        super().__init__(client)
        self._hook = Hook(client.settings, client.guard.time_limit)
        self._guids: list[str] = []  # of the created apps

    @property
    def is_usable(self) -> bool:
        """Always False: sequences send requests, which the hook replaces."""
        return False

    def start(self, app: App) -> bool:
        """Start an app; return whether it is started."""
        return self._try(lambda: super(HookedApps, self).start(app))

    def stop(self, app: App) -> bool:
        """Stop a started app; return whether it is stopped."""
        return self._try(lambda: super(HookedApps, self).stop(app))

    def scale(self, app: App, **size: int) -> bool:
        """Scale a started app by `instances` or `memory_in_mb`; return whether that succeeded."""
        return self._try(lambda: super(HookedApps, self).scale(app, **size))

    def restart(self, app: App) -> None:
        """Do nothing: the hook has no state for it."""

    def remove(self, guid: str, where: Where) -> Exchange:
        """Delete an app; return a GET of it after that."""
        self._set_state("delete", guid)
        self._guids.remove(guid)
        return self._read_app(guid, where)

    def delete_apps(self) -> None:
        """Delete all created apps, and note those that remain."""
        leftovers = []
        for guid in reversed(self._guids):
            try:
                self._set_state("delete", guid)
            except (BudgetExhausted, HookFailed, StateUnsupported) as reason:
                leftovers.append(f"{resource_path(APPS, guid)} ({reason})")
        self._client.note(notes.LEFT, leftovers)

    def _build_apps(self) -> None:
        self._client.note(notes.UNTIMED, UNTIMED_MESSAGE)
        self._home_space = "of the hook's"
        self._try(lambda: bool(super(HookedApps, self)._build_apps()))

    def _create_spaces(self) -> tuple[str | None, str | None, str | None]:
        return "of the hook's", None, None

    def _create_app(self, app: App, names: Sequence[str], space: str) -> None:  # noqa: ARG002 -- the hook chooses the space
        guid = self._hook.set_up(STATES["stop"], name=names[-1]).get("app")
        if not is_usable_guid(guid):
            raise HookFailed(
                f'the hook set the state {STATES["stop"]!r} but named no app: expected the answer {{"app": GUID}}'
            )
        self.apps[app] = guid
        self._guids.append(guid)

    def _delete_app(self, app: App) -> None:
        self._try(lambda: bool(super(HookedApps, self)._delete_app(app)))

    def _change_app(self, app: App, change: str, where: Where, **size: int) -> Exchange:
        self._set_state(change, self.apps[app], **size)
        return self._read_app(self.apps[app], where)

    def _set_state(self, change: str, guid: str, **size: int) -> None:
        self._hook.set_up(STATES[change], app=guid, **size)

    def _read_app(self, guid: str, where: Where) -> Exchange:
        return self._client.send(Request("GET", resource_path(APPS, guid), where, tags={Tag.CHANGED_BY_HOOK: YES}))

    def _try(self, change: Callable[[], bool]) -> bool:
        try:
            return change()
        except (HookFailed, StateUnsupported) as reason:
            self.error = str(reason)
            return False
