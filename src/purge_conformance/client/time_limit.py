"""The bound on the total time of a run; the last part of it is reserved for deleting apps and writing reports."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from purge_conformance.config.settings import describe_seconds
from purge_conformance.errors import BudgetExhausted

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_RESERVE_S = 60.0
RESERVED_PART = 0.2  # of a short bound
REPORTS_PART = 0.25  # of the reserve: for judging and writing reports, after the apps are deleted


class TimeLimit:
    """The time that requests may still take.

    Attributes:
        seconds: of the whole run.
        reserve: seconds at its end in which the scenarios send nothing.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic, begin: float | None = None) -> None:
        """Begin now, by this clock, or at an earlier time of it."""
        self.seconds = seconds
        self.reserve = min(MAX_RESERVE_S, RESERVED_PART * seconds)
        self._clock = clock
        self._begin = clock() if begin is None else begin
        self._end = self._begin + seconds - self.reserve

    @property
    def left(self) -> float:
        """Seconds in which requests may be sent and waited for, at least 0."""
        return max(0.0, self._end - self._clock())

    @property
    def left_for_cleanup(self) -> float:
        """Seconds in which the target may be brought back to its former state, at least 0: less those for reports."""
        return max(0.0, self._begin + self.seconds - REPORTS_PART * self.reserve - self._clock())

    def release_reserve(self) -> None:
        """Give the reserve to the requests that delete the apps of the run."""
        self._end = self._begin + self.seconds - REPORTS_PART * self.reserve

    def require(self) -> None:
        """Require that there is time left.

        Raises:
            BudgetExhausted: there is none.
        """
        if not self.left:
            raise BudgetExhausted(
                f"The time is used up: --max-time allows {describe_seconds(self.seconds)}, the last "
                f"{describe_seconds(self.reserve)} of it for deleting apps and writing reports. "
                "Give a larger --max-time; `purge-conformance plan` estimates how long a run takes."
            )
