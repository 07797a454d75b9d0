"""Purges without a response are the target's fault only if everything else shows that it is there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.silent_purges import (
    due_to_silent_purges,
    find_silent_concurrent_purges,
    find_silent_purges,
)
from purge_conformance.analysis.view import JudgmentView
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.evidence.steps import YES, Place, Scenario, Step, Tag

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

CLOSED, CUT, HANGS = (
    "RemoteDisconnected: closed",
    "IncompleteRead: IncompleteRead(0 bytes read, 2 more expected)",
    "TimeoutError: timed out",
)


def add_purge(builder: EvidenceBuilder, status: int | None, error: str | None = CLOSED) -> None:
    """Add a plain purge."""
    builder.add_exchange(
        Scenario.SEQUENCES, Step.PURGE, method="POST", path=PURGE_PATH, status=status, error=None if status else error
    )


def add_purges_between_reads(builder: EvidenceBuilder, *statuses: int | None, error: str = CLOSED) -> None:
    """Add plain purges with these statuses, each between two reads."""
    for status in statuses:
        builder.add_exchange(Scenario.SEQUENCES, Step.LIST)
        add_purge(builder, status, error)
        builder.add_exchange(Scenario.SEQUENCES, Step.LIST)


@pytest.mark.parametrize("error", [CLOSED, CUT, HANGS])
def test_three_of_three_are_the_targets(error: str, builder: EvidenceBuilder) -> None:
    """Three purges without a response, whose reads before and after were answered, are findings."""
    add_purges_between_reads(builder, None, None, None, error=error)
    findings = find_silent_purges(builder.judgment_view)
    within = " within --timeout" if error == HANGS else ""
    assert [(x.expected, x.got) for x in findings] == [
        (f"200{within}; the reads before and after it were answered", f"no answer ({error})")
    ] * 3


@pytest.mark.parametrize("statuses", [(None, None), (None, 200, 200, None, 200, 200, None), (200, None, 200, 200)])
def test_few_resets_are_the_networks(statuses: tuple[int | None, ...], builder: EvidenceBuilder) -> None:
    """Fewer than three purges without a response, or fewer than half of all, may be due to the network."""
    add_purges_between_reads(builder, *statuses)
    assert find_silent_purges(builder.judgment_view) == []


def test_silent_reads_are_the_networks(builder: EvidenceBuilder) -> None:
    """If a read next to a purge had no response either, the network is to blame."""
    add_purges_between_reads(builder, None, None, None)
    add_purge(builder, None)
    builder.add_exchange(Scenario.SEQUENCES, Step.LIST, status=None, error=CLOSED)
    assert find_silent_purges(builder.judgment_view) == []


def add_round(builder: EvidenceBuilder, index: int, *statuses: int | None) -> None:
    """Add a round of concurrent purges with these statuses."""
    for status in statuses:
        builder.add_exchange(
            Scenario.CONCURRENT_PURGES,
            Place(Step.CONCURRENT, index),
            method="POST",
            path=PURGE_PATH,
            status=status,
            error=None if status else CLOSED,
            tags={Tag.CONCURRENT: YES},
        )
    builder.add_exchange(
        Scenario.CONCURRENT_PURGES, Place(Step.CONCURRENT_READ, index), tags={Tag.CONCURRENT: YES}, data={}
    )


@pytest.mark.parametrize("is_read", [True, False])
def test_three_of_three_are_enough_beside_reads(builder: EvidenceBuilder, *, is_read: bool) -> None:
    """With few purges there is one round: all of it without a response, while reads get one, is due to concurrency."""
    add_purges_between_reads(builder, 200)
    add_round(builder, 1, None, None, None)
    if not is_read:
        builder.exchanges.pop()
    assert len(find_silent_concurrent_purges(builder.judgment_view)) == (3 if is_read else 0)


def test_silence_in_each_round_is_due_to_concurrency(builder: EvidenceBuilder) -> None:
    """If each round has a purge without a response, and nothing else has none, concurrency is the cause."""
    add_purges_between_reads(builder, 200)
    add_round(builder, 1, 200, None, None)
    add_round(builder, 2, 200, 200, None)
    assert len(find_silent_concurrent_purges(builder.judgment_view)) == 3


@pytest.mark.parametrize("elsewhere", [True, False])
def test_silence_elsewhere_or_in_one_round_proves_nothing(elsewhere: bool, builder: EvidenceBuilder) -> None:  # noqa: FBT001 -- a case
    """A lost response elsewhere, or a round without one, speaks for the network."""
    add_purges_between_reads(builder, *([None] if elsewhere else []), 200)
    add_round(builder, 1, 200, None, None)
    add_round(builder, 2, 200, 200, *([None] if elsewhere else []))
    assert find_silent_concurrent_purges(builder.judgment_view) == []


def test_silent_purges_are_the_reason_of_what_stays_open(builder: EvidenceBuilder) -> None:
    """What needs a purge that the target does not answer is open because of that, not because of the network."""
    add_purges_between_reads(builder, None, None, None)
    silent = due_to_silent_purges(builder.judgment_view, builder.evidence.exchanges)
    assert silent is not None
    assert (set(silent.exchanges), silent.timeout) == ({2, 5, 8}, "")
    assert silent.description == (
        "Purges by the admin get no response, although the reads before and after them get one"
    )


def test_hanging_purges_name_the_timeout(builder: EvidenceBuilder) -> None:
    """A purge that hangs may only be slower than --timeout, so the finding and the reason name that."""
    add_purges_between_reads(builder, None, None, None, error=HANGS)
    evidence = builder.evidence
    view = JudgmentView(replace(evidence, header=replace(evidence.header, settings={"timeout": 3.0})))
    (finding, *_) = find_silent_purges(view)
    assert finding.expected == "200 within --timeout 3; the reads before and after it were answered"
    silent = due_to_silent_purges(view, evidence.exchanges)
    assert silent is not None
    assert silent.timeout == "--timeout 3"
    assert "get no response within --timeout 3, although" in silent.description


def test_silent_concurrent_purges_are_the_reason_of_what_stays_open(builder: EvidenceBuilder) -> None:
    """What needs concurrent purges that are not answered is open because of these."""
    add_purges_between_reads(builder, 200)
    add_round(builder, 1, 200, None, None)
    add_round(builder, 2, 200, 200, None)
    silent = due_to_silent_purges(builder.judgment_view, builder.evidence.exchanges)
    assert silent is not None
    assert silent.description.startswith("Concurrent purges get no response, although everything else")


def test_other_silent_requests_are_another_reason(builder: EvidenceBuilder) -> None:
    """If something else that a judgment needs had no response, or nothing, purges are not the reason."""
    add_purges_between_reads(builder, None, None, None)
    builder.add_exchange(Scenario.READS, Step.LIST, status=None, error=CLOSED)
    assert due_to_silent_purges(builder.judgment_view, builder.evidence.exchanges) is None
    assert due_to_silent_purges(builder.judgment_view, ()) is None
