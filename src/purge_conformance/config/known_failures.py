"""The known failures of a target: the file of `--known-failures`."""

from __future__ import annotations

from enum import StrEnum


class EntryKind(StrEnum):
    """What an entry of the file excuses."""

    FAILURE = "failure"  # it fails in every run
    FLAKY = "flaky"  # it fails in some trials
    NOT_JUDGED = "not-judged"  # this environment cannot judge it
