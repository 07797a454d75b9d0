"""One root cause as reports show it: what was sent, what came, and the requirements that fail because of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Defect:
    """Failures that look like one root cause.

    Attributes:
        requirements: ids of the requirements whose findings it explains, by level; at least one. A requirement that
            fails for several reasons is in several defects.
        sent: a request that shows it, in words; empty if no exchange shows it.
        got: what the target did.
        requests: how many different requests showed it.
        exchanges: numbers of the exchanges that show it.
        curl: one command that sends that request again; or None.
        behaves_like: id of the fault of the reference server that it resembles; or None.
    """

    requirements: tuple[str, ...]
    sent: str
    got: str
    requests: int = 0
    exchanges: tuple[int, ...] = ()
    curl: str | None = None
    behaves_like: str | None = None
