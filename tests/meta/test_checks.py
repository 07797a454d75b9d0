"""The words of judgments: what is a finding, what cannot be told, and whose fault that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.analysis.assertions import (
    MAX_FINDINGS,
    Inconclusive,
    JudgmentView,
    NotExercised,
    RequirementViolated,
    Trial,
    describe_response,
    raise_if_cut_short,
    require_apps,
    require_complete,
    require_each_trial,
    require_exchanges,
    require_no,
    require_snapshot,
    require_status,
    require_usable_target,
    require_walk,
    target_responses,
)
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.evidence.records import Evidence
from purge_conformance.report.model import Cause, Finding, Tally

if TYPE_CHECKING:
    from conftest import Story


def test_hold_keeps_the_first() -> None:
    """Findings break a requirement; the first few are kept, and none holds it."""
    require_no([])
    with pytest.raises(RequirementViolated) as caught:
        require_no(Finding("a", str(n)) for n in range(100))
    assert [f.got for f in caught.value.findings] == [str(n) for n in range(MAX_FINDINGS)]


def test_status_is_one_of(story: Story) -> None:
    """An answer has one of the statuses, or is a finding that shows it."""
    require_status([story.say("e", "s", status=400), story.say("e", "s", status=422)], 400, 422)
    with pytest.raises(RequirementViolated, match="expected 400 or 422; got 200 "):
        require_status([story.say("e", "s", body=b"all\n well")], 400, 422)


def test_answered_leaves_out_the_rest(story: Story) -> None:
    """Lost and rate limited requests are not the target's answers."""
    kept = [story.say("e", "s", status=status) for status in (200, 429, 503, None)]
    assert [x.status for x in target_responses(kept)] == [200, 503]


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
    story: Story,
) -> None:
    """A gateway's own 502 or 504 to what is never sent again is no answer of the target."""
    x = story.say("e", "s", method=method, status=status, response_headers=(("Content-Type", label),))
    assert target_responses([x]) == ((x,) if is_targets else ())


def test_need_gives_answers(story: Story) -> None:
    """What an experiment saw is given, and remembered as looked at."""
    story.say("e", "other")
    wanted = story.say("e", "s")
    seen = story.seen
    assert require_exchanges(seen, "e", "s", if_none="never") == (wanted,)
    assert seen.read_exchanges == [wanted.n]


@pytest.mark.parametrize(("status", "words"), [(None, "reset"), (429, "rate limited"), (504, "gateway")])
def test_need_of_no_answer(status: int | None, words: str, story: Story) -> None:
    """Requests without an answer are inconclusive, and the network is blamed."""
    story.say("e", "s", method="POST", status=status, error="reset" if status is None else None)
    with pytest.raises(Inconclusive, match=words) as caught:
        require_exchanges(story.seen, "e", "s", if_none="never")
    assert caught.value.cause is Cause.NETWORK


def test_need_of_no_occasion(story: Story) -> None:
    """What was never tried in a run that ended well is not exercised, for the reason given."""
    with pytest.raises(NotExercised, match="never"):
        require_exchanges(story.seen, "e", "s", if_none="never")


@pytest.mark.parametrize(
    ("name", "value", "blame"),
    [
        ("stopped", "The run's 3 purges are spent.", Cause.CONFIGURATION),
        ("lost", "no answer", Cause.NETWORK),
        ("crashed", "KeyError: 'guid'", Cause.SUITE),
    ],
)
def test_stopped_says_whose_fault(name: str, value: object, blame: Cause, story: Story) -> None:
    """An experiment that was held back or cut short is inconclusive, with the reason that was noted."""
    story.note("e", name, value)
    with pytest.raises(Inconclusive) as caught:
        raise_if_cut_short(story.seen, "e")
    assert caught.value.cause is blame


def test_stopped_of_another_is_nothing(story: Story) -> None:
    """That another experiment was held back does not matter."""
    story.note("other", "stopped", "spent")
    raise_if_cut_short(story.seen, "e")


def test_killed_run_is_suites_fault(story: Story) -> None:
    """A run that did not come to its end is inconclusive where it had not come to yet."""
    killed = JudgmentView(Evidence(story.evidence.header, (), ()))
    with pytest.raises(Inconclusive, match="killed") as caught:
        require_exchanges(killed, "e", "s", if_none="never")
    assert caught.value.cause is Cause.SUITE


def test_unreadable_list_is_inconclusive(story: Story) -> None:
    """A list that could not be read to its end is inconclusive, and the last answer is shown."""
    story.walk("e", "s.events", [], complete=False)
    with pytest.raises(Inconclusive, match="could not be read to its end: 200"):
        require_snapshot(story.seen, "e", "s")
    with pytest.raises(Inconclusive, match="no request"):
        require_complete(require_walk(story.seen, "e", "s.events").__class__((), (), None, complete=False), "apps")


def test_unreadable_apps_are_inconclusive(story: Story) -> None:
    """Events that could be read do not make up for apps that could not."""
    story.walk("e", "s.events", [])
    with pytest.raises(Inconclusive, match="list of apps"):
        require_apps(require_snapshot(story.seen, "e", "s"))


def test_resource_is_all_below(story: Story) -> None:
    """Every answer on the resource or below it counts, whoever asked, and no other."""
    kept = [
        story.purge("e"),
        story.say("f", "s", path=f"{EVENTS_PATH}?page=1"),
        story.say("f", "s", path=f"{EVENTS_PATH}/x/y"),
    ]
    story.say("e", "s", path="/v3/apps")
    story.say("e", "s", path=PURGE_PATH, status=None)
    assert list(story.seen.resource_exchanges()) == kept


def test_unusable_target_is_not_judged(story: Story) -> None:
    """Of a target that turned out to be no API, or to refuse its admin, no answer is held against it."""
    require_usable_target(story.evidence)
    story.note("reach", "unusable", {"blame": "authentication", "reason": "refused"})
    with pytest.raises(Inconclusive, match="refused") as caught:
        require_usable_target(story.evidence)
    assert caught.value.cause is Cause.AUTHENTICATION


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
def test_answer_is_short(status: int | None, body: bytes, words: str, story: Story) -> None:
    """An answer is told in a few words on one line."""
    assert describe_response(story.say("e", "s", status=status, body=body, error="reset")) == words


def trial(n: int, *wrong: str, kind: str = "") -> Trial:
    """Return a trial that shows what is wrong with it."""
    return Trial(n, tuple(Finding("nothing", what, n) for what in wrong), kind)


def test_trials_that_pass_are_counted(story: Story) -> None:
    """Trials of which none failed hold the requirement, and are counted."""
    seen = story.seen
    require_each_trial(seen, [trial(1), trial(2), trial(3)])
    assert seen.tally == Tally(trials=3, failures=0, is_flaky=False)


def test_trials_that_fail_now_and_then_are_flaky(story: Story) -> None:
    """If some trials of a kind failed the requirement is broken, and each finding names one that passed."""
    seen = story.seen
    with pytest.raises(RequirementViolated) as caught:
        require_each_trial(seen, [trial(1), trial(2, "a", "b"), trial(3, "a"), trial(4)])
    assert seen.tally == Tally(trials=4, failures=2, is_flaky=True)
    assert caught.value.findings == (Finding("nothing", "a", 2, passing=4), Finding("nothing", "b", 2, passing=4))


def test_kinds_that_differ_are_not_flaky(story: Story) -> None:
    """What always fails in one way of trying and never in another is not flaky; what was tried once is not counted."""
    seen = story.seen
    with pytest.raises(RequirementViolated) as caught:
        require_each_trial(
            seen, [trial(1, kind="x"), trial(2, kind="x"), trial(3, "a", kind="y"), trial(4, "a", kind="y")]
        )
    assert (seen.tally, caught.value.findings[0].passing) == (Tally(trials=4, failures=2, is_flaky=False), None)
    require_each_trial(seen, [trial(1, kind="x"), trial(2, kind="y")])
    assert seen.tally == Tally()


def test_looks_are_remembered(story: Story) -> None:
    """What one judgment looked for is there for the next, which has then looked at the same exchanges."""
    story.say("e", "s")
    looked: list[JudgmentView] = []

    def look(seen: JudgmentView) -> list[str]:
        looked.append(seen)
        return [x.step for x in seen.of("e", "s")]

    evidence = story.evidence
    seen = [JudgmentView(evidence), JudgmentView(evidence)]
    assert [each.memoized(look) for each in seen] == [["s"], ["s"]]
    assert [each.read_exchanges for each in seen] == [[1], [1]]
    assert len(looked) == 1


def test_fruitless_looks_are_told(story: Story) -> None:
    """A look that ends without a result shows what was looked at all the same, each time."""
    story.say("e", "s", status=None)
    evidence = story.evidence
    for seen in (JudgmentView(evidence), JudgmentView(evidence)):
        with pytest.raises(Inconclusive):
            seen.memoized(lambda eyes: require_exchanges(eyes, "e", "s", if_none="nothing"))
        assert seen.read_exchanges == [1]
