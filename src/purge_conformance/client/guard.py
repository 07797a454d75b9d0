"""Blocks requests that exceed a budget or the time, purge before the archive is complete, or follow an interrupt."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Self

from purge_conformance.catalogue.api import SAFE_METHODS, is_purge
from purge_conformance.client.time_limit import TimeLimit
from purge_conformance.config.roles import ADMIN
from purge_conformance.config.settings import limits_for
from purge_conformance.errors import (
    ArchiveFailed,
    BudgetExhausted,
    Interrupted,
    PurgeBlocked,
    RequestBlocked,
    WriteBlocked,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.config.settings import Limits, Settings

CLEANUP_RESERVE = 20  # requests reserved for deleting the apps of the run
# Cloud Controller's default limit per hour and address is 30; before the run, one may have read the root document.
MAX_WITHOUT_CREDENTIALS = 29
MAX_PATH = 16 * 1024  # characters; a target may give a guid of any length


class Guard:
    """Counts the requests of a run, and raises for those that may not be sent.

    Attributes:
        requests: how many were admitted.
        purges: how many purges with the admin's token were admitted.
        without_credentials: how many requests without credentials were admitted.
        is_archived: whether the existing events are archived, or may be lost, so that purges are allowed.
        archive_error: why the events are not archived; empty if unknown.
        time_limit: the time of the run.
        archive_new: is called before each purge is admitted; it may raise ArchiveFailed, and then no further purge is.
        close_reason: why only cleanup requests are allowed; empty while the run continues.
        more_requests: the value of --max-requests to give if they do not suffice.
        more_purges: the value of --max-purges to give if they do not suffice.
        exhausted: why only the cleanup may receive more; empty while there is room.
    """

    def __init__(
        self, limits: Limits, *, read_only: bool = False, time_limit: TimeLimit | None = None, repeat: int = 1
    ) -> None:
        """Start with nothing sent and nothing archived.

        Args:
            limits: of the run.
            read_only: whether only safe methods are allowed.
            time_limit: the time of the run; None: it begins now.
            repeat: the value of --repeat.
        """
        self.time_limit = time_limit or TimeLimit(limits.max_time)
        self._limits = limits
        self._read_only = read_only
        self._lock = Lock()
        self.requests = 0
        self.purges = 0
        self.without_credentials = 0
        self.is_archived = False
        self.archive_error = ""
        self.archive_new: Callable[[], None] = lambda: None
        self.close_reason = ""
        self.exhausted = ""
        self._is_cleaning_up = False
        self._max_requests = limits.max_requests - CLEANUP_RESERVE
        enough = limits_for(repeat)  # where lists fit on a few pages
        self.more_requests = _more(limits.max_requests, enough.max_requests)
        self.more_purges = _more(limits.max_purges, enough.max_purges)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return a guard with the limits of these settings, read-only if they are."""
        time_limit = TimeLimit(settings.limits.max_time, begin=settings.begin)
        return cls(settings.limits, read_only=settings.is_read_only, time_limit=time_limit, repeat=settings.repeat)

    def allows(self, method: str) -> bool:
        """Whether requests with this method may be sent in this run."""
        return method in SAFE_METHODS or not self._read_only

    @property
    def requests_left(self) -> int:
        """How many requests the scenarios may still send."""
        return max(0, self._max_requests - self.requests)

    @property
    def purges_left(self) -> int:
        """How many purges may still reach the target."""
        return max(0, self._limits.max_purges - self.purges)

    def count_purge(self) -> None:
        """Count a purge that `admit` did not take for one with the admin's token, as the target may have done it."""
        with self._lock:
            self.purges += 1

    @property
    def without_credentials_left(self) -> int:
        """How many requests without credentials may still be sent."""
        return max(0, MAX_WITHOUT_CREDENTIALS - self.without_credentials)

    def close(self, reason: str) -> None:
        """Block every purge, and every request before the cleanup; takes no lock, so a signal handler may call it."""
        self.close_reason = self.close_reason or reason

    def release_cleanup_reserve(self) -> None:
        """Allow the requests, and the time, that are reserved for deleting the apps of the run."""
        self.time_limit.release_reserve()
        self._max_requests = self._limits.max_requests
        self._is_cleaning_up = True

    def admit(self, method: str, path: str, role: str, *, has_credentials: bool = True) -> int:
        """Count a request that is about to be sent, and return its number in the run.

        Raises:
            Interrupted: the guard is closed.
            WriteBlocked: the method is unsafe and the run is read-only.
            BudgetExhausted: the run's requests, those without credentials, its time, or the memory for responses are
                used up.
            RequestBlocked: the path is too long to be sent.
            PurgeBlocked: the request is a purge, and the events are not archived or the purges are used up.
            ArchiveFailed: the request is a purge, and what it would destroy could not be archived.
        """
        if not self.allows(method):
            raise WriteBlocked(f"This command only reads: {method} {path[:80]} was not sent.")
        if len(path) > MAX_PATH:
            raise RequestBlocked(
                f"{method} {path[:80]}... was not sent: its path has {len(path)} characters, as the target's links or "
                f"guids are so long. Let the target give shorter ones: a path may have {MAX_PATH} characters."
            )
        with self._lock:
            self._require_open(is_purge=is_purge(method, path))
            self.time_limit.require()
            if self.exhausted and not self._is_cleaning_up:
                raise BudgetExhausted(self.exhausted)
            if self.requests >= self._max_requests:
                raise BudgetExhausted(
                    f"The run has sent {self._limits.max_requests} requests. Give --max-requests {self.more_requests}."
                )
            if not (has_credentials or self.without_credentials_left):
                raise BudgetExhausted(
                    f"The run has sent its {MAX_WITHOUT_CREDENTIALS} requests without credentials. Targets limit them "
                    "per hour. Give tokens of more roles: --token ROLE=SOURCE."
                )
            if is_purge(method, path):
                self._admit_purge(role)
                self._require_open(is_purge=True)  # archiving takes a while
                self.purges += role == ADMIN
            self.without_credentials += not has_credentials
            self.requests += 1
            return self.requests

    def _admit_purge(self, role: str) -> None:
        if not self.is_archived:
            further = "further " if self.purges else ""
            message = f"No {further}purge was sent: the existing events are not archived."
            raise PurgeBlocked(f"{message} {self.archive_error}".rstrip())
        if role == ADMIN and not self.purges_left:
            raise PurgeBlocked(
                f"The run has sent its {self._limits.max_purges} purges. Give --max-purges {self.more_purges}."
            )
        try:
            self.archive_new()
        except ArchiveFailed as reason:
            self.is_archived, self.archive_error = False, str(reason)
            raise

    def _require_open(self, *, is_purge: bool) -> None:
        if self.close_reason and (is_purge or not self._is_cleaning_up):
            raise Interrupted(f"{self.close_reason} After that, only cleanup requests were sent.")


def _more(given: int, enough: int) -> int:
    """Return the limit to give where one did not suffice: what is enough for most targets, or twice the limit."""
    return enough if given < enough else 2 * given
