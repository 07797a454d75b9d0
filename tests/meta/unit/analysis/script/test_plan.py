"""Which requests a script sends, how it looks at what they did, and what its first lines say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.results import requirement
from meta.support.story import NOON
from purge_conformance.analysis.script.plan import ChangedByHook, Look, plan
from purge_conformance.analysis.script.render import render
from purge_conformance.catalogue.api import EVENTS_PATH, LIST_OPERATION, PURGE_OPERATION, PURGE_PATH
from purge_conformance.evidence import notes
from purge_conformance.evidence.records import Span
from purge_conformance.evidence.steps import App, Phase, Place, Scenario, Step, Tag
from purge_conformance.report.model import Finding

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder
    from purge_conformance.analysis.script.plan import Plan
    from purge_conformance.evidence.records import Exchange

APP = "11111111-1111-4111-8111-111111111111"
OLD = "22222222-2222-4222-8222-222222222222"
STATE = Finding("an event for the started app", "none")


def change(builder: EvidenceBuilder, scenario: Scenario, where: Place | Step, path: str, **more: Any) -> Exchange:  # noqa: ANN401 -- of an exchange
    """Add a POST by the admin."""
    return builder.add_exchange(scenario, where, method="POST", path=path, **more)


def prepare(builder: EvidenceBuilder) -> None:
    """Add an app that a run created, started and toggled."""
    body = '{"name": "started-abcd1234"}'
    change(builder, Scenario.FOUNDATION, Step.CREATE, "/v3/apps", status=201, data={"guid": APP}, request_body=body)
    builder.add_note(Scenario.FOUNDATION, notes.APPS, {App.TOGGLED: APP})
    builder.add_note(Scenario.FOUNDATION, notes.RUN, "abcd1234")
    for step, action in ((Step.START_APP, "start"), (Step.STOP_APP, "stop"), (Step.START_APP, "start")):
        change(builder, Scenario.FILL_PAGE, Place(step, app=App.TOGGLED), f"/v3/apps/{APP}/actions/{action}")


def purge(builder: EvidenceBuilder, scenario: Scenario = Scenario.PURGE) -> tuple[Exchange, Exchange]:
    """Add a purge between two snapshots; return it and the first page after it."""
    place = Place(Step.PURGE)
    apps = [builder.app(APP)]
    builder.add_snapshot(scenario, place.at(Phase.BEFORE), [builder.event(OLD, APP)], apps)
    sent = builder.add_purge(scenario, place)
    builder.add_snapshot(scenario, place.at(Phase.AFTER), [builder.event(APP, APP)], apps)
    return sent, next(x for x in builder.exchanges if x.n > sent.n and x.route == EVENTS_PATH)


def plan_of(
    builder: EvidenceBuilder, shown: Exchange, finding: Finding = STATE, operation: str = PURGE_OPERATION
) -> Plan:
    """Return the plan for a finding."""
    return plan(builder.evidence, finding, shown, operation, {Scenario.PURGE})


def test_purge_is_looked_at_between_snapshots(builder: EvidenceBuilder) -> None:
    """Of a wrong state after a purge, the script creates the apps, changes them as the run did, and purges once."""
    prepare(builder)
    first, _ = purge(builder)
    sent, page = purge(builder, Scenario.SECOND_PURGE)
    found = plan_of(builder, page)
    assert (found.tried, found.looks) == ((sent,), (Look.PURGED,))
    assert [x.path.rpartition("/")[2] for x in found.setup][:4] == ["apps", "start", "stop", "start"]
    assert found.setup[4:] == (first,)  # of the scenario that this one follows


def test_text_says_what_it_does(builder: EvidenceBuilder) -> None:
    """A script begins with its purges, its consent and its variables; it toggles an app in a loop, and has no guid."""
    prepare(builder)
    _, page = purge(builder)
    text = render(builder.evidence, requirement(statement="It is so."), STATE, plan_of(builder, page), is_flaky=False)
    lines = text.splitlines()
    assert lines[1] == "# PURGE-01 (MUST): It is so."
    assert lines[3].startswith("# This script sends 1 purge. Each purge DESTROYS ALL app usage events")
    assert "# expected: an event for the started app" in lines
    assert "n=0; while [ $n -lt 3 ]; do toggle; n=$((n + 1)); done" in lines
    assert 'create /v3/apps \'{"name": "started-\'"$RUN"\'"}\'' in lines
    assert 'look purged "$WORK/before" "$WORK/after" "" "purge" >> "$WORK/found"' in text
    assert not [guid for guid in (APP, OLD, "abcd1234") if guid in text]


@pytest.mark.parametrize(("is_flaky", "words"), [(False, "sends 1 purge."), (True, "sends at most 5 purges.")])
def test_chance_is_tried_again(builder: EvidenceBuilder, words: str, *, is_flaky: bool) -> None:
    """What depends on chance is tried several times."""
    prepare(builder)
    _, page = purge(builder)
    text = render(builder.evidence, requirement(), STATE, plan_of(builder, page), is_flaky=is_flaky)
    assert words in text.splitlines()[3]


def test_concurrent_requests_are_sent_at_the_same_time(builder: EvidenceBuilder) -> None:
    """Concurrent purges are sent in the background, with the pauses of the run."""
    prepare(builder)
    place = Place(Step.CONCURRENT, 1)
    builder.add_snapshot(Scenario.CONCURRENT_PURGES, place.at(Phase.BEFORE))
    for _ in range(2):
        builder.add_purge(Scenario.CONCURRENT_PURGES, place, tags={Tag.CONCURRENT: "yes"}, elapsed=1.5)
    builder.add_snapshot(Scenario.CONCURRENT_PURGES, place.at(Phase.AFTER))
    page = builder.exchanges[-1]
    text = render(builder.evidence, requirement(), STATE, plan_of(builder, page), is_flaky=False)
    assert "sends at most 10 purges." in text
    assert [line.split(";")[0] for line in text.splitlines() if line.endswith("&")] == [
        "  { sleep 0.000",
        "  { sleep 1.000",
    ]
    assert "  wait" in text.splitlines()


@pytest.mark.parametrize(
    ("expected", "status", "role", "status_alone"),
    [
        ("404", 200, "admin", True),
        ("200 with these headers", 406, "admin", True),
        ("2xx", 500, "admin", True),
        ("this POST does not purge", 200, "none", True),
        ("an empty body", 200, "admin", False),
        ("an answer without the token", 403, "none", False),
        ("an error without `code`", 403, "none", False),
    ],
)
def test_answers_are_compared(
    expected: str, status: int, role: str, builder: EvidenceBuilder, *, status_alone: bool
) -> None:
    """If the status of an answer is wrong, the script compares that alone; otherwise the whole answer."""
    prepare(builder)
    sent = builder.add_purge(Scenario.PURGE, status=status, role=role)
    found = plan_of(builder, sent, Finding(expected, f"{status} {{}}"))
    assert (Look.SAME in found.looks, found.status_alone) == (True, status_alone)


def test_rejected_purges_keep_events(builder: EvidenceBuilder) -> None:
    """Of a purge that is not the admin's, the script looks at the answer, and at the events."""
    prepare(builder)
    place = Place(Step.CREDENTIAL, 1)
    builder.add_list(Scenario.REJECTED_PURGES, Place(Step.NEWEST_PAGE, 1), [builder.event(OLD, APP)])
    sent = change(builder, Scenario.REJECTED_PURGES, place, PURGE_PATH, role="none", status=200)
    evidence = builder.evidence
    found = plan(evidence, Finding("401", "200 {}"), sent, PURGE_OPERATION, set())
    assert (found.tried, found.may_purge, found.setup_purges) == ((sent,), True, 0)
    text = render(evidence, requirement(), STATE, found, is_flaky=False)
    assert "sends no purge as admin. Requests that must not purge follow" in text.splitlines()[3]


@pytest.mark.parametrize(("status", "look"), [(409, Look.KEPT), (503, Look.FAILED), (500, Look.FAILED)])
def test_induced_errors_are_required(status: int, look: Look, builder: EvidenceBuilder) -> None:
    """Of a purge that a hook made fail, the script requires the error, and looks at what such a purge may do."""
    prepare(builder)
    tags = {Tag.INDUCED: str(status), Tag.STATE: "an error for the next request"}
    sent = builder.add_purge(Scenario.INDUCED_ERRORS, Step.INDUCED_PURGE, status=status, tags=tags)
    span = Span(Scenario.INDUCED_ERRORS, sent.place, (), (sent.n,), ())
    evidence = replace(builder.evidence, all_spans=(span,))
    finding = Finding("unchanged events", "another state")
    found = plan(evidence, finding, sent, PURGE_OPERATION, set())
    assert (found.tried, found.looks) == ((sent,), (look,))
    hooked = replace(evidence, header=replace(evidence.header, settings={**evidence.header.settings, "hook": "url"}))
    text = render(hooked, requirement(), finding, found, is_flaky=False)
    assert f'look has_status "$WORK/answer.0" {status} || die ' in text
    assert "# It asks the hook for the error: PURGE_CONFORMANCE_HOOK is what" in text


def test_apps_of_a_hook_are_not_created(builder: EvidenceBuilder) -> None:
    """A script does not ask a hook for apps, and says so; what depends on a change by the hook has no script."""
    _, page = purge(builder)
    evidence = builder.evidence
    hooked = replace(evidence, header=replace(evidence.header, settings={**evidence.header.settings, "apps": "hook"}))
    text = render(hooked, requirement(), STATE, plan_of(builder, page), is_flaky=False)
    assert "# A hook created the apps of the run, and this script asks it for none: start an app" in text
    assert "It creates apps" not in text
    read = builder.add_exchange(Scenario.APP_CHANGES, Step.START_APP, tags={Tag.CHANGED_BY_HOOK: "yes"})
    span = Span(Scenario.APP_CHANGES, read.place, (), (read.n,), ())
    with pytest.raises(ChangedByHook):
        plan(replace(builder.evidence, all_spans=(span,)), STATE, read, PURGE_OPERATION, set())


def test_what_follows_an_answer_waits_for_it(builder: EvidenceBuilder) -> None:
    """What the run sent after the answer to a purge, the script sends after it too, however long the purge takes."""
    prepare(builder)
    place, concurrent = Place(Step.CONCURRENT, 1), {Tag.CONCURRENT: "yes"}
    builder.add_snapshot(Scenario.RACE, place.at(Phase.BEFORE))
    builder.add_purge(Scenario.RACE, place, tags=concurrent, sent_at=NOON, elapsed=2.0)
    for at in (NOON + 1, NOON + 2.5):
        path = f"/v3/apps/{APP}/actions/stop"
        change(builder, Scenario.RACE, place, path, tags=concurrent, sent_at=at)
    builder.add_snapshot(Scenario.RACE, place.at(Phase.AFTER))
    text = render(builder.evidence, requirement(), STATE, plan_of(builder, builder.exchanges[-1]), is_flaky=False)
    lines = [line.strip().partition(";")[0] for line in text.splitlines()]
    first = lines.index("{ sleep 0.000")
    assert lines[first : first + 6] == [
        "{ sleep 0.000",
        "purge_0=$!",
        "{ sleep 1.000",
        'wait "$purge_0"',
        "{ sleep 0.500",
        "wait",
    ]


def test_destroyed_event_is_named_by_its_place(builder: EvidenceBuilder) -> None:
    """A request for an event that a purge destroyed names the event at the same place of the list of now."""
    prepare(builder)
    purge(builder)
    shown = builder.add_exchange(Scenario.PURGE, Step.GET_DESTROYED, path=f"{EVENTS_PATH}/{OLD}")
    found = plan_of(builder, shown, Finding("404", "200 {}"))
    assert (found.looks, found.setup_purges, found.is_alone) == ((Look.SAME,), 1, False)
    text = render(builder.evidence, requirement(), STATE, found, is_flaky=False)
    assert 'EVENT=$(look pick "$WORK/first.events" "$TOGGLED" 0 guid)' in text
    assert f'"$API"{EVENTS_PATH}/"$EVENT"' in text


@pytest.mark.parametrize(
    ("method", "path", "role", "status", "is_alone"),
    [
        ("GET", f"{EVENTS_PATH}/unknown", "admin", 422, True),
        ("GET", f"{EVENTS_PATH}/{OLD}", "admin", 410, False),
        ("POST", PURGE_PATH, "none", 500, True),
        ("POST", PURGE_PATH, "none", 200, False),
        ("POST", PURGE_PATH, "admin", 500, False),
    ],
)
def test_lone_request_needs_no_script(  # noqa: PLR0913 -- a request
    method: str, path: str, role: str, status: int, builder: EvidenceBuilder, *, is_alone: bool
) -> None:
    """A request that no state matters to has its command, which is enough; one that purged has not."""
    prepare(builder)
    purge(builder)
    shown = builder.add_exchange(Scenario.READS, Step.GET, method=method, path=path, role=role, status=status)
    found = plan_of(builder, shown, Finding("404", f"{status} {{}}"))
    assert found.is_alone is is_alone
    assert not (is_alone and found.setup)


def test_pages_are_compared_with_whole_list(builder: EvidenceBuilder) -> None:
    """Of a wrong page, the script reads the whole list and all pages of that walk."""
    prepare(builder)
    for number in (1, 2):
        builder.add_page(Scenario.LISTS, Place(Step.WALK, 2), [builder.event(OLD, APP)], per_page=1, page=number)
    shown = builder.exchanges[-1]
    found = plan_of(builder, shown, Finding("each event on one page", "one on several"), LIST_OPERATION)
    assert (found.looks, len(found.tried)) == ((Look.LISTED,), 2)
    text = render(builder.evidence, requirement(), STATE, found, is_flaky=False)
    assert 'look listed "$WORK/all" "$WORK/answer.0" \'per_page=1&page=1\' "$WORK/answer.1"' in text


def test_fixed_space_can_be_replaced(builder: EvidenceBuilder) -> None:
    """The apps are created in the space of the run, unless SPACE_GUID names another."""
    prepare(builder)
    _, page = purge(builder)
    evidence = builder.evidence
    header = replace(evidence.header, settings=evidence.header.settings | {"space": "a-space-guid"})
    text = render(replace(evidence, header=header), requirement(), STATE, plan_of(builder, page), is_flaky=False)
    assert "SPACE=${SPACE_GUID:-a-space-guid}" in text.splitlines()
