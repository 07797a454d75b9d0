"""How long to wait for an event that is due."""

from __future__ import annotations

from dataclasses import dataclass

PROMPT_S = 0.75  # an event that is listed within this time after its change is not late
MAX_SILENCES = 2  # events that never appear, until polls are shorter although none has appeared yet
# Seconds between polls for an event that is due.
POLL_INTERVALS, SHORT_POLL_INTERVALS = tuple(0.25 * number for number in range(1, 7)), (0.25,) * 6


@dataclass
class Patience:
    """Adapts the polls for events that are due to how late earlier ones were.

    Attributes:
        longest_wait: seconds until the latest event was listed; None if none has appeared.
        silences: how many events never appeared.
    """

    longest_wait: float | None = None
    silences: int = 0

    @property
    def intervals(self) -> tuple[float, ...]:
        """Seconds after each poll; shorter after an event never appeared, unless another one was late."""
        is_late = (self.longest_wait or 0) > PROMPT_S
        is_silent = self.silences >= (MAX_SILENCES if self.longest_wait is None else 1)
        return SHORT_POLL_INTERVALS if is_silent and not is_late else POLL_INTERVALS

    def note(self, waited: float | None) -> None:
        """Note after how many seconds an event was listed, or None: it never was."""
        if waited is None:
            self.silences += 1
        else:
            self.longest_wait = max(waited, self.longest_wait or 0)
