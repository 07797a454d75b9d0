"""What was not tried has the true reason: no answer, a run cut short, or a scenario that was not run."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from purge_conformance import catalogue
from purge_conformance.analysis.assertions import require_complete
from purge_conformance.analysis.next_steps import AFTER_LONG_WAIT, FIND_APPS, FIX_HOOK, RUN_ALONE, get_apps
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised, PrerequisiteFailed
from purge_conformance.catalogue.model import Disturbance
from purge_conformance.config.roles import ANONYMOUS_ROLE
from purge_conformance.engine.prerequisites import judge
from purge_conformance.engine.untried import other_client
from purge_conformance.engine.verdicts import RunBuilder
from purge_conformance.evidence import notes
from purge_conformance.evidence.listing import listing_at
from purge_conformance.evidence.steps import App, Place, Scenario, Step, Tag
from purge_conformance.evidence.tag_values import CredentialKind
from purge_conformance.report.model import Cause, Outcome

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder
    from purge_conformance.report.model import Result

REQUIREMENTS = {r.id: r for r in catalogue.requirements()}
PATH = "/v3/app_usage_events/actions/destructively_purge_all_and_reseed"


def judged(builder: EvidenceBuilder, name: str) -> Result:
    """Return the result of the suite's own judgment."""
    view = builder.judgment_view
    return RunBuilder(builder.evidence, {name: REQUIREMENTS[name]}).record(name, judge(name, view), view, 0.1)


def add_purge(builder: EvidenceBuilder, role: str, kind: CredentialKind, status: int | None) -> None:
    """Add a purge with a credential."""
    builder.add_exchange(
        Scenario.REJECTED_PURGES,
        Step.CREDENTIAL,
        method="POST",
        path=PATH,
        role=role,
        status=status,
        tags={Tag.CREDENTIAL: kind},
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [("AUTH-01", CredentialKind.NONE), ("AUTH-04", CredentialKind.EXPIRED), ("AUTH-07", CredentialKind.VALID)],
)
def test_rate_limit_is_no_missing_request(name: str, kind: CredentialKind, builder: EvidenceBuilder) -> None:
    """Purges that were rate limited were sent: neither was none tried, nor is a token missing or the proxy to check."""
    add_purge(builder, "garbage", CredentialKind.MALFORMED, HTTPStatus.UNAUTHORIZED)
    add_purge(builder, str(kind), kind, HTTPStatus.TOO_MANY_REQUESTS)
    result = judged(builder, name)
    assert (result.outcome, result.cause) == (Outcome.INCONCLUSIVE, Cause.NETWORK)
    assert "rate limited (429): 1" in result.reason
    assert "rate limit" in result.next_step
    assert "proxy" not in result.next_step


def test_url_token_needs_a_role(builder: EvidenceBuilder) -> None:
    """Without another role's token, that is the reason why no token was sent in a URL; with one, the machine is."""
    builder.add_exchange(Scenario.AUTH_BYPASS, Step.FORGED_TOKEN, method="POST", path=PATH, role=ANONYMOUS_ROLE)
    alone = judged(builder, "AUTH-12")
    assert (alone.reason, alone.cause) == ("There is no token without the admin scope.", Cause.CONFIGURATION)
    assert alone.next_step == "Give --token global_auditor=SOURCE, then run again."
    add_purge(builder, "global_auditor", CredentialKind.VALID, HTTPStatus.FORBIDDEN)
    remote = judged(builder, "AUTH-12")
    assert "not on this machine" in remote.reason
    assert "loopback" in remote.next_step


def test_usual_errors_are_not_attributed_to_the_target(builder: EvidenceBuilder) -> None:
    """A run in which every error had a documented status does not attribute that to the target."""
    add_purge(builder, "garbage", CredentialKind.MALFORMED, HTTPStatus.UNAUTHORIZED)
    result = judged(builder, "ERROR-09")
    assert (result.outcome, result.cause) == (Outcome.NOT_EXERCISED, Cause.CONFIGURATION)
    assert result.next_step.startswith("Nothing to do")


def test_empty_list_is_no_missing_token(builder: EvidenceBuilder) -> None:
    """Where purges of other roles are forbidden, and the list is empty, apps are missing and no token."""
    builder.add_page(Scenario.REJECTED_PURGES, Step.NEWEST_PAGE, [])
    add_purge(builder, "global_auditor", CredentialKind.VALID, HTTPStatus.FORBIDDEN)
    result = judged(builder, "REFUSE-02")
    assert "showed no event" in result.reason
    assert "--apps" in result.next_step or "--space" in result.next_step


def test_cut_list_is_not_the_targets(builder: EvidenceBuilder) -> None:
    """A list that a limit of the run ended is attributed to the configuration: --max-events is to be raised."""
    builder.add_list(Scenario.LISTS, Step.OPENING, [{"guid": "a"}], complete=False)
    with pytest.raises(Inconclusive) as caught:
        require_complete(listing_at(builder.evidence, Scenario.LISTS, Place(Step.OPENING)), "events")
    assert caught.value.cause is Cause.CONFIGURATION
    assert "--max-events" in caught.value.next_step


@pytest.mark.parametrize("name", ["PURGE-05", "GET-02"])
def test_interrupted_run_needs_no_apps(name: str, builder: EvidenceBuilder) -> None:
    """After an interruption the next step is to run again, not to let the suite create apps."""
    builder.add_exchange(Scenario.PREFLIGHT, Step.ROOT)
    builder.add_note(Scenario.PURGE, notes.INTERRUPTED, "SIGINT stopped the run")
    result = judged(builder, name)
    assert (result.cause, result.next_step) == (Cause.CONFIGURATION, "Run again, without an interruption.")
    assert "SIGINT stopped the run." in result.reason


def test_scenario_that_was_not_run_is_named(builder: EvidenceBuilder) -> None:
    """A requirement whose scenario the evidence does not have needs new evidence."""
    builder.add_exchange(Scenario.PREFLIGHT, Step.ROOT)
    error = NotExercised("No list was read.")
    result = RunBuilder(builder.evidence, {"LIST-04": REQUIREMENTS["LIST-04"]}).record("LIST-04", error, None, 0.1)
    assert result.reason == "No list was read. The evidence has no request of the scenario lists."
    assert (result.cause, "`purge-conformance run URL`" in result.next_step) == (Cause.CONFIGURATION, True)


def test_reason_of_a_judgment_stays(builder: EvidenceBuilder) -> None:
    """A judgment that names a cause or a next step knows the reason itself."""
    error = NotExercised("There is no hook.", Cause.CONFIGURATION, "Give --hook URL.")
    result = RunBuilder(builder.evidence, {"LIST-04": REQUIREMENTS["LIST-04"]}).record("LIST-04", error, None, 0.1)
    assert replace(result, seconds=0).reason == "There is no hook."


def test_purges_that_get_no_answer_are_the_targets(builder: EvidenceBuilder) -> None:
    """What purges without any answer leave open rests on PURGE-01; no network is to be checked."""
    for scenario in (Scenario.PURGE, Scenario.SECOND_PURGE, Scenario.PURGE_AFTER_CHANGES):
        builder.add_exchange(scenario, Place(Step.LIST))
        builder.add_exchange(
            scenario, Step.PURGE, method="POST", path=PATH, status=None, error="TimeoutError: timed out"
        )
        builder.add_exchange(scenario, Place(Step.LIST))
    for name in ("PURGE-02", "PURGE-05", "SEED-01"):
        result = judged(builder, name)
        assert (result.outcome, result.cause) == (Outcome.INCONCLUSIVE, Cause.TARGET), name
        assert result.next_step.startswith("Fix PURGE-01 first, then run again."), name


@pytest.mark.parametrize("scenario", [Scenario.SEQUENCES, Scenario.RACE])
@pytest.mark.parametrize("next_step", [FIND_APPS, FIX_HOOK])
def test_missing_apps_are_due_to_a_limit(scenario: Scenario, next_step: str, builder: EvidenceBuilder) -> None:
    """Where the target's limit was reached, it is the reason why apps or errors of the hook are missing."""
    limited = {Tag.LONG_WAIT: "Retry-After: 3000"}
    builder.add_exchange(scenario, Step.START, status=HTTPStatus.TOO_MANY_REQUESTS, tags=limited)
    error = NotExercised("No app was started.", Cause.CONFIGURATION, next_step)
    result = RunBuilder(builder.evidence, {"MODEL-01": REQUIREMENTS["MODEL-01"]}).record("MODEL-01", error, None, 0.1)
    assert (result.cause, result.next_step) == (Cause.NETWORK, AFTER_LONG_WAIT)
    assert result.reason.startswith("No app was started. Of 1 requests the target itself answered 0;")


def test_apps_that_exist_need_no_setting(builder: EvidenceBuilder) -> None:
    """If the suite created its apps without an error, no error is to be fixed."""
    assert "Fix the error" in get_apps(builder.evidence)
    builder.add_note(Scenario.FOUNDATION, notes.APPS, {App.STARTED: "guid"})
    assert get_apps(builder.evidence) == FIND_APPS
    builder.add_note(Scenario.FOUNDATION, notes.APPS_ERROR, "POST /v3/apps created nothing: 500")
    assert "Fix the error" in get_apps(builder.evidence)


def test_other_client_leaves_cases_open(builder: EvidenceBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """After another client's purge, neither a failure nor a defect of the suite is to be looked for."""
    builder.add_exchange(Scenario.LISTS, Step.OPENING)
    found: tuple[int, int] | None = (3, 5)
    for module in ("untried", "verdicts"):
        monkeypatch.setattr(f"purge_conformance.engine.{module}.find_foreign_purge", lambda _: found)
    requirement = replace(REQUIREMENTS["RACE-02"], disturbed_by=(Disturbance.FOREIGN_PURGE,))
    result = RunBuilder(builder.evidence, {"RACE-02": requirement}).record(
        "RACE-02", PrerequisiteFailed("the same effect appears without concurrency"), None, 0.1
    )
    assert (result.cause, result.next_step) == (Cause.RACE, RUN_ALONE)
    why = other_client(requirement, builder.judgment_view)
    assert why
    assert why.reason == "Another client purged, first between exchanges 3 and 5."
    found = None
    assert other_client(requirement, builder.judgment_view) is None
