"""Which requirements of a run are judged: those of profiles, a selection of them, and whether the run is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance import catalogue
from purge_conformance.analysis.outcomes import Inconclusive
from purge_conformance.catalogue.model import Level, Profile
from purge_conformance.config.build import DEFAULT_PROFILES
from purge_conformance.errors import BadData
from purge_conformance.report.model import Cause, Scope
from purge_conformance.report.text import enumerate_ids
from purge_conformance.scenarios.definitions import SCENARIOS, needed_scenarios, scenarios_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from purge_conformance.catalogue.model import Requirement
    from purge_conformance.config.loader import Options
    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Evidence
    from purge_conformance.evidence.steps import Scenario


def scope_to_judge(evidence: Evidence, profiles: Sequence[str] = (), select: Sequence[str] = ()) -> Scope:
    """Return the scope of a judgment: the profiles and globs named here, or else those of the run.

    Raises:
        BadSetting: a profile is unknown.
        BadData: the header of the evidence lacks a setting.
    """
    settings = evidence.header.settings
    try:
        return scope_of(profiles or settings["profiles"], select or settings["select"])
    except KeyError as error:
        raise BadData(f"The header of the evidence has no setting {error}. Restore evidence.jsonl.") from None


def scope_of(profiles: Sequence[str], select: Sequence[str] = ()) -> Scope:
    """Return the scope of these profiles and globs.

    Raises:
        BadSetting: a profile is unknown.
    """
    whole = set(catalogue.parse_profiles(profiles)) - {Profile.OBSERVE_ONLY}
    musts = sum(each.level is Level.MUST for each in catalogue.select_requirements(whole))
    return Scope(tuple(profiles), tuple(select), musts)


def not_collected(evidence: Evidence, requirement: Requirement) -> Inconclusive | None:
    """Return which scenarios that the requirement needs the run left out, if it was restricted to a selection."""
    settings = evidence.header.settings
    left_out: list[str] = settings.get("unselected_scenarios", [])
    needed = needed_scenarios((requirement.profile,), (requirement.id,)) if left_out else ()
    missing = [name for name in left_out if name in needed]
    if not missing:
        return None
    return Inconclusive(
        f"The run had only the scenarios of the selection {enumerate_ids(settings['select'])}, and none of: "
        f"{', '.join(missing)}.",
        Cause.CONFIGURATION,
        f"Run again with --select {requirement.id}, or without a selection.",
    )


def unselected_scenarios(settings: Settings) -> list[str]:
    """Return the names of the scenarios that a run leaves out because of its selection, in order."""
    needed = scenarios_of(settings)
    return [str(each.name) for each in SCENARIOS if not each.is_base and each.name not in needed]


def expected_in(values: Options) -> dict[str, Requirement]:
    """Return the requirements that a run with these options judges, by id.

    Raises:
        BadSetting: a profile is unknown, or a glob matches nothing.
    """
    return requirements_in(scope_of(values.get("profile") or DEFAULT_PROFILES, values.get("select", ())))


def with_followed(names: Iterable[Scenario]) -> frozenset[Scenario]:
    """Return scenarios and all that one of them follows."""
    needed = set(names)
    for each in reversed(SCENARIOS):  # a scenario follows only earlier ones
        needed.update(each.follows if each.name in needed else ())
    return frozenset(needed)


def requirements_in(scope: Scope) -> dict[str, Requirement]:
    """Return the requirements of a scope, by id.

    Raises:
        BadSetting: a glob matches nothing.
    """
    found = catalogue.select_requirements(catalogue.parse_profiles(scope.profiles), scope.select)
    return {requirement.id: requirement for requirement in found}
