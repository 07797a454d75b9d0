"""Stands between the suite and the target: consent, the budgets, and no purge before the archive."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Self

from purge_conformance.catalogue.api import SAFE_METHODS, is_purge
from purge_conformance.config.roles import ADMIN
from purge_conformance.errors import BudgetExhausted, Interrupted, PurgeBlocked, WriteBlocked

if TYPE_CHECKING:
    from purge_conformance.config.settings import Limits, Settings

CLEANUP_RESERVE = 20  # requests kept back for taking the suite's own apps down


class Guard:
    """Counts what is sent, and holds back what may not be.

    Attributes:
        requests: how many were admitted.
        purges: how many purges with the admin's token were admitted.
        is_archived: whether the events that exist are safe, or may be lost.
        archive_error: why they are not; empty where nobody knows.
        close_reason: why nothing more may be sent but what takes down the suite's own apps; empty while that is not so.
    """

    def __init__(self, limits: Limits, *, read_only: bool = False) -> None:
        """Begin with nothing sent and nothing archived; with `reads_only` nothing passes that could change anything."""
        self._limits = limits
        self._read_only = read_only
        self._lock = Lock()
        self.requests = 0
        self.purges = 0
        self.is_archived = False
        self.archive_error = ""
        self.close_reason = ""
        self._is_cleaning_up = False
        self._max_requests = limits.max_requests - CLEANUP_RESERVE

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return the guard of a run."""
        return cls(settings.limits, read_only=settings.is_read_only)

    def allows(self, method: str) -> bool:
        """Whether requests with that method are sent at all."""
        return method in SAFE_METHODS or not self._read_only

    @property
    def requests_left(self) -> int:
        """How many requests the experiments may still send."""
        return max(0, self._max_requests - self.requests)

    @property
    def purges_left(self) -> int:
        """How many purges may still reach the target."""
        return max(0, self._limits.max_purges - self.purges)

    def close(self, reason: str) -> None:
        """Let no purge pass from now on, nor anything else before the last orders; a signal may call it: no lock."""
        self.close_reason = self.close_reason or reason

    def release_cleanup_reserve(self) -> None:
        """Give free what was kept back for taking the suite's own apps down."""
        self._max_requests = self._limits.max_requests
        self._is_cleaning_up = True

    def admit(self, method: str, path: str, role: str) -> int:
        """Count a request that is about to be sent, and return its number in the run.

        Raises:
            Interrupted: the guard was closed.
            ReadsOnly: it could change something, and nothing may be changed.
            BudgetSpent: no more requests may be sent.
            PurgeRefused: it is a purge, and nothing is archived, or no more purges may be sent.
        """
        if not self.allows(method):
            raise WriteBlocked(f"Only what changes nothing is sent here; {method} {path[:80]} was held back.")
        with self._lock:
            if self.close_reason and (is_purge(method, path) or not self._is_cleaning_up):
                raise Interrupted(
                    f"{self.close_reason} Nothing more was sent but what takes down the suite's own apps."
                )
            if self.requests >= self._max_requests:
                raise BudgetExhausted(
                    f"The run's {self._limits.max_requests} requests are spent. Raise --max-requests."
                )
            if is_purge(method, path):
                self._admit_purge(role)
            self.requests += 1
            return self.requests

    def _admit_purge(self, role: str) -> None:
        if not self.is_archived:
            message = "The events that exist could not be archived, so none may be destroyed."
            raise PurgeBlocked(f"{message} {self.archive_error}".rstrip())
        if role == ADMIN:
            if not self.purges_left:
                raise PurgeBlocked(f"The run's {self._limits.max_purges} purges are spent. Raise --max-purges.")
            self.purges += 1
