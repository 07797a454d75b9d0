"""The words of judgments: what is a finding, what cannot be told, and whose fault that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import (
    MOST_FINDINGS,
    Broken,
    Inconclusive,
    NotExercised,
    Seen,
    Trial,
    answer,
    answered,
    apps_of,
    hold,
    hold_each,
    need,
    readable,
    snapshot_of,
    status_is,
    stopped,
    usable,
    walk_of,
)
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.evidence.records import Evidence
from purge_conformance.report.model import Cause, Finding, Tally

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder


def test_hold_keeps_the_first() -> None:
    """Findings break a requirement; the first few are kept, and none holds it."""
    hold([])
    with pytest.raises(Broken) as caught:
        hold(Finding("a", str(n)) for n in range(100))
    assert [f.got for f in caught.value.findings] == [str(n) for n in range(MOST_FINDINGS)]


def test_status_is_one_of(builder: EvidenceBuilder) -> None:
    """An answer has one of the statuses, or is a finding that shows it."""
    status_is([builder.add_exchange("e", "s", status=400), builder.add_exchange("e", "s", status=422)], 400, 422)
    with pytest.raises(Broken, match="expected 400 or 422; got 200 "):
        status_is([builder.add_exchange("e", "s", body=b"all\n well")], 400, 422)


def test_answered_leaves_out_the_rest(builder: EvidenceBuilder) -> None:
    """Lost and rate limited requests are not the target's answers."""
    kept = [builder.add_exchange("e", "s", status=status) for status in (200, 429, 503, None)]
    assert [x.status for x in answered(kept)] == [200, 503]


@pytest.mark.parametrize(
    ("method", "status", "label", "is_targets"),
    [
        ("POST", 502, "text/html", False),
        ("DELETE", 504, "", False),
        ("POST", 502, "application/json", True),
        ("POST", 500, "text/html", True),
        ("GET", 502, "text/html", True),
    ],
)
def test_gateways_answer_to_a_change(
    method: str,
    status: int,
    label: str,
    is_targets: bool,  # noqa: FBT001 -- expected
    builder: EvidenceBuilder,
) -> None:
    """A gateway's own 502 or 504 to what is never sent again is no answer of the target."""
    x = builder.add_exchange("e", "s", method=method, status=status, response_headers=(("Content-Type", label),))
    assert answered([x]) == ((x,) if is_targets else ())


def test_need_gives_answers(builder: EvidenceBuilder) -> None:
    """What an experiment saw is given, and remembered as looked at."""
    builder.add_exchange("e", "other")
    wanted = builder.add_exchange("e", "s")
    seen = builder.judgment_view
    assert need(seen, "e", "s", why="never") == (wanted,)
    assert seen.looked_at == [wanted.n]


@pytest.mark.parametrize(("status", "words"), [(None, "reset"), (429, "rate limited"), (504, "gateway")])
def test_need_of_no_answer(status: int | None, words: str, builder: EvidenceBuilder) -> None:
    """Requests without an answer are inconclusive, and the network is blamed."""
    builder.add_exchange("e", "s", method="POST", status=status, error="reset" if status is None else None)
    with pytest.raises(Inconclusive, match=words) as caught:
        need(builder.judgment_view, "e", "s", why="never")
    assert caught.value.blame is Cause.NETWORK


def test_need_of_no_occasion(builder: EvidenceBuilder) -> None:
    """What was never tried in a run that ended well is not exercised, for the reason given."""
    with pytest.raises(NotExercised, match="never"):
        need(builder.judgment_view, "e", "s", why="never")


@pytest.mark.parametrize(
    ("name", "value", "blame"),
    [
        ("stopped", "The run's 3 purges are spent.", Cause.CONFIGURATION),
        ("lost", "no answer", Cause.NETWORK),
        ("crashed", "KeyError: 'guid'", Cause.SUITE),
    ],
)
def test_stopped_says_whose_fault(name: str, value: object, blame: Cause, builder: EvidenceBuilder) -> None:
    """An experiment that was held back or cut short is inconclusive, with the reason that was noted."""
    builder.add_note("e", name, value)
    with pytest.raises(Inconclusive) as caught:
        stopped(builder.judgment_view, "e")
    assert caught.value.blame is blame


def test_stopped_of_another_is_nothing(builder: EvidenceBuilder) -> None:
    """That another experiment was held back does not matter."""
    builder.add_note("other", "stopped", "spent")
    stopped(builder.judgment_view, "e")


def test_killed_run_is_suites_fault(builder: EvidenceBuilder) -> None:
    """A run that did not come to its end is inconclusive where it had not come to yet."""
    killed = Seen(Evidence(builder.evidence.header, (), ()))
    with pytest.raises(Inconclusive, match="killed") as caught:
        need(killed, "e", "s", why="never")
    assert caught.value.blame is Cause.SUITE


def test_unreadable_list_is_inconclusive(builder: EvidenceBuilder) -> None:
    """A list that could not be read to its end is inconclusive, and the last answer is shown."""
    builder.add_list("e", "s.events", [], complete=False)
    with pytest.raises(Inconclusive, match="could not be read to its end: 200"):
        snapshot_of(builder.judgment_view, "e", "s")
    with pytest.raises(Inconclusive, match="no request"):
        readable(walk_of(builder.judgment_view, "e", "s.events").__class__((), (), None, complete=False), "apps")


def test_unreadable_apps_are_inconclusive(builder: EvidenceBuilder) -> None:
    """Events that could be read do not make up for apps that could not."""
    builder.add_list("e", "s.events", [])
    with pytest.raises(Inconclusive, match="list of apps"):
        apps_of(snapshot_of(builder.judgment_view, "e", "s"))


def test_resource_is_all_below(builder: EvidenceBuilder) -> None:
    """Every answer on the resource or below it counts, whoever asked, and no other."""
    kept = [
        builder.add_purge("e"),
        builder.add_exchange("f", "s", path=f"{EVENTS_PATH}?page=1"),
        builder.add_exchange("f", "s", path=f"{EVENTS_PATH}/x/y"),
    ]
    builder.add_exchange("e", "s", path="/v3/apps")
    builder.add_exchange("e", "s", path=PURGE_PATH, status=None)
    assert list(builder.judgment_view.resource()) == kept


def test_unusable_target_is_not_judged(builder: EvidenceBuilder) -> None:
    """Of a target that turned out to be no API, or to refuse its admin, no answer is held against it."""
    usable(builder.evidence)
    builder.add_note("reach", "unusable", {"blame": "authentication", "reason": "refused"})
    with pytest.raises(Inconclusive, match="refused") as caught:
        usable(builder.evidence)
    assert caught.value.blame is Cause.AUTHENTICATION


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b"", "200"),
        (500, b"a\n\n b", "500 a b"),
        (200, b"x" * 1000, f"200 {'x' * 300} ..."),
        (None, b"", "no answer (reset)"),
        (200, b"\xff", "200 �"),
    ],
)
def test_answer_is_short(status: int | None, body: bytes, words: str, builder: EvidenceBuilder) -> None:
    """An answer is told in a few words on one line."""
    assert answer(builder.add_exchange("e", "s", status=status, body=body, error="reset")) == words


def trial(n: int, *wrong: str, kind: str = "") -> Trial:
    """Return a trial that shows what is wrong with it."""
    return Trial(n, tuple(Finding("nothing", what, n) for what in wrong), kind)


def test_trials_that_pass_are_counted(builder: EvidenceBuilder) -> None:
    """Trials of which none failed hold the requirement, and are counted."""
    seen = builder.judgment_view
    hold_each(seen, [trial(1), trial(2), trial(3)])
    assert seen.tally == Tally(trials=3, failures=0, is_flaky=False)


def test_trials_that_fail_now_and_then_are_flaky(builder: EvidenceBuilder) -> None:
    """If some trials of a kind failed the requirement is broken, and each finding names one that passed."""
    seen = builder.judgment_view
    with pytest.raises(Broken) as caught:
        hold_each(seen, [trial(1), trial(2, "a", "b"), trial(3, "a"), trial(4)])
    assert seen.tally == Tally(trials=4, failures=2, is_flaky=True)
    assert caught.value.findings == (Finding("nothing", "a", 2, passing=4), Finding("nothing", "b", 2, passing=4))


def test_kinds_that_differ_are_not_flaky(builder: EvidenceBuilder) -> None:
    """What always fails in one way of trying and never in another is not flaky; what was tried once is not counted."""
    seen = builder.judgment_view
    with pytest.raises(Broken) as caught:
        hold_each(seen, [trial(1, kind="x"), trial(2, kind="x"), trial(3, "a", kind="y"), trial(4, "a", kind="y")])
    assert (seen.tally, caught.value.findings[0].passing) == (Tally(trials=4, failures=2, is_flaky=False), None)
    hold_each(seen, [trial(1, kind="x"), trial(2, kind="y")])
    assert seen.tally == Tally()


def test_looks_are_remembered(builder: EvidenceBuilder) -> None:
    """What one judgment looked for is there for the next, which has then looked at the same exchanges."""
    builder.add_exchange("e", "s")
    looked: list[Seen] = []

    def look(seen: Seen) -> list[str]:
        looked.append(seen)
        return [x.step for x in seen.of("e", "s")]

    evidence = builder.evidence
    seen = [Seen(evidence), Seen(evidence)]
    assert [each.remembered(look) for each in seen] == [["s"], ["s"]]
    assert [each.looked_at for each in seen] == [[1], [1]]
    assert len(looked) == 1


def test_fruitless_looks_are_told(builder: EvidenceBuilder) -> None:
    """A look that ends without a result shows what was looked at all the same, each time."""
    builder.add_exchange("e", "s", status=None)
    evidence = builder.evidence
    for seen in (Seen(evidence), Seen(evidence)):
        with pytest.raises(Inconclusive):
            seen.remembered(lambda eyes: need(eyes, "e", "s", why="nothing"))
        assert seen.looked_at == [1]
