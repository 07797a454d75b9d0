"""Says before a run which requirements it leaves open, and which option lets it judge them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from purge_conformance import catalogue
from purge_conformance.catalogue.model import Level, Need
from purge_conformance.config.apps import Mode
from purge_conformance.config.roles import ADMIN, EXPIRED, READ_ONLY_ROLES
from purge_conformance.evidence.words import pluralize
from purge_conformance.target.doctor.check import Check, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.catalogue.model import Requirement
    from purge_conformance.config.settings import Settings

PREFIX = "without "  # the beginning of the name of each of these checks


@dataclass(frozen=True, slots=True)
class _Opening:
    """What a user can give, and what it provides."""

    option: str
    explanation: str
    needs: frozenset[Need]


OPENINGS = (
    _Opening(
        "--token global_auditor=SOURCE",
        "or admin_read_only: a user who may read all events",
        frozenset({Need.OTHER_ROLE, Need.READING_ROLE}),
    ),
    _Opening(
        "--token org_manager=SOURCE",
        "or space_developer: a user who may not read all events",
        frozenset({Need.RESTRICTED_ROLE}),
    ),
    _Opening("--token expired=SOURCE", "an admin token that has expired", frozenset({Need.EXPIRED_TOKEN})),
    _Opening("--apps drive", "with --space GUID to use an existing space", frozenset({Need.OWN_APPS, Need.TIMED_APPS})),
    _Opening("--hook URL", "or --hook command:LINE: it induces errors", frozenset({Need.HOOK})),
)


def checks(settings: Settings) -> Iterable[Check]:
    """Yield one finding for each option that is not given and that lets the run judge more, with the ids of that."""
    missing = _missing(settings)
    judged = catalogue.select_requirements(settings.profiles, settings.select)
    for opening in OPENINGS:
        open_ones = [each for each in judged if each.requires in opening.needs & missing]
        if open_ones:
            yield _finding(opening, open_ones)


def _finding(opening: _Opening, requirements: list[Requirement]) -> Check:
    ids = ", ".join(each.id for each in requirements)
    binding = sum(each.level is Level.MUST and not each.conditional for each in requirements)
    effect = f"{binding} MUST, so the verdict stays open" if binding else "the verdict does not depend on them"
    got = f"{pluralize(len(requirements), 'requirement')} not judged ({effect}): {ids}"
    status = Status.WARNING if binding else Status.OK
    return Check(f"{PREFIX}{opening.option} ({opening.explanation})", status, got)


def _missing(settings: Settings) -> frozenset[Need]:
    others = set(settings.tokens) - {ADMIN, EXPIRED}
    has_apps = settings.is_read_only or settings.apps.mode is not Mode.OBSERVE  # a run that only reads needs none
    given = {
        Need.OTHER_ROLE: bool(others),
        Need.READING_ROLE: bool(others & set(READ_ONLY_ROLES)),
        Need.RESTRICTED_ROLE: bool(others - set(READ_ONLY_ROLES)),
        Need.EXPIRED_TOKEN: EXPIRED in settings.tokens,
        Need.HOOK: settings.hook is not None,
        Need.OWN_APPS: has_apps,
        Need.TIMED_APPS: has_apps and settings.apps.mode is not Mode.HOOK,
    }
    return frozenset(need for need, is_given in given.items() if not is_given)
