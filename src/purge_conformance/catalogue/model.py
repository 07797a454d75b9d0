"""What `spec/` contains, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How binding a requirement is, as in RFC 2119; only a MUST decides the verdict."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Profile(StrEnum):
    """Where a requirement comes from: the endpoint's documentation page, or Cloud Controller's API beyond it.

    To judge `upstream` is to judge `core` as well. `observe-only` has no requirements of its own: it keeps those of the
    other profiles that need only reads.
    """

    CORE = "core"
    UPSTREAM = "upstream"
    OBSERVE_ONLY = "observe-only"


FIRST_SET = "1.0"  # the requirement set of evidence that names none
DOCUMENTED = (Profile.CORE, Profile.UPSTREAM)
ANY_SCENARIO = "any"


class Disturbance(StrEnum):
    """What others can do on the target during a run so that a failure proves nothing."""

    FOREIGN_PURGE = "foreign-purge"


def set_order(requirement_set: str) -> tuple[int, ...]:
    """Return what sorts requirement sets by age, the oldest first."""
    return tuple(map(int, requirement_set.split(".")))


@dataclass(frozen=True, slots=True)
class Source:
    """A document that requirements quote; `url` is None if it has no public page."""

    title: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One of the distinct cases that a judgment covers.

    Attributes:
        id: kebab-case, unique in its requirement, never reused.
        text: what holds in this case, one sentence.
        since: the requirement set that introduced it.
        conditional: what it needs that may be missing; or None.
        rests_on: ids, for this case in addition to those of the requirement.
    """

    id: str
    text: str
    since: str
    conditional: str | None = None
    rests_on: tuple[str, ...] = ()


class Need(StrEnum):
    """What a run has to be given so that a requirement can be judged."""

    OTHER_ROLE = "other-role"  # a token of any role other than the admin
    READING_ROLE = "reading-role"  # of one that may read all events
    RESTRICTED_ROLE = "restricted-role"  # of one that may not
    EXPIRED_TOKEN = "expired-token"  # noqa: S105 -- no token
    HOOK = "hook"
    OWN_APPS = "own-apps"  # that the suite or the hook changes
    TIMED_APPS = "timed-apps"  # that the suite itself changes


@dataclass(frozen=True, slots=True)
class Requirement:
    """One normative sentence, with an id that never changes its meaning.

    Attributes:
        id: `AREA-NN`, never reused.
        level: how binding.
        profile: where it comes from.
        since: the requirement set that introduced it.
        group: heading in reports.
        statement: what the target does or does not do.
        quote: the words of the source that say so.
        source: where these words are.
        operation: operationId in `openapi.yaml`, or "any".
        scenarios: those whose evidence its judgment reads; `ANY_SCENARIO` alone: all.
        requires: what a run has to be given so that it can be judged; or None.
        shown_by: how a run judges it.
        remedy: what a developer of the target checks or changes when it fails.
        conditional: the occasion that it needs and that only the target or a hook can provide; or None.
        not_judged: why no run can judge it; or None.
        observed: whether requests that change nothing are enough to judge it.
        rests_on: ids; if one of these failed, a failure is inconclusive.
        assumes: ids; the judgment checks in its own evidence that these hold.
        disturbed_by: what makes a failure inconclusive.
        not_alone: why no fault violates it without violating another one; or None.
        cases: the distinct cases that the judgment covers.
    """

    id: str
    level: Level
    profile: Profile
    since: str
    group: str
    statement: str
    quote: str
    source: Source
    operation: str
    shown_by: str
    remedy: str
    conditional: str | None = None
    not_judged: str | None = None
    observed: bool = False
    requires: Need | None = None
    scenarios: tuple[str, ...] = ()
    rests_on: tuple[str, ...] = ()
    assumes: tuple[str, ...] = ()
    disturbed_by: tuple[Disturbance, ...] = ()
    not_alone: str | None = None
    cases: tuple[Case, ...] = ()

    def needs(self, scenario: str) -> bool:
        """Whether its judgment reads the evidence of a scenario."""
        return scenario in self.scenarios or ANY_SCENARIO in self.scenarios

    def prerequisites(self, case: str | None = None) -> tuple[str, ...]:
        """Return the ids that a failure of the requirement rests on, or that of one of its cases."""
        return self.rests_on + next((each.rests_on for each in self.cases if each.id == case), ())

    def all_prerequisites(self) -> tuple[str, ...]:
        """Return the ids that a failure rests on, in whichever case it occurs, each once."""
        ids = [*self.rests_on, *(name for case in self.cases for name in case.rests_on)]
        return tuple(dict.fromkeys(ids))


@dataclass(frozen=True, slots=True)
class Fault:
    """A named way in which the reference server violates exactly the named requirements.

    Attributes:
        id: kebab-case, after what is wrong.
        summary: one sentence.
        requirements: ids of those that it violates.
        subtlety: what a run needs to detect it.
        alone: whether it hides other faults, so that no other runs on the same server.
        intermittent: whether it does not fail in each trial, so that a run with few purges may miss it.
        with_droplets: whether it shows only where apps run droplets.
        timeout: seconds of --timeout in the run against it; None: the default.
    """

    id: str
    summary: str
    requirements: tuple[str, ...]
    subtlety: str
    alone: bool = False
    intermittent: bool = False
    with_droplets: bool = False
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """A named way in which the reference server differs and still conforms.

    Attributes:
        id: kebab-case, after what is different.
        summary: one sentence.
        allowed_by: the words of the documentation or of a standard that allow it; or "silent".
        profiles: those in which it conforms.
        violates_should: ids of SHOULDs that it violates.
        not_judged: ids of MUSTs that no run can judge because of it.
        own_server: whether it needs a server of its own: it is visible only in the address or the tokens, or its long
            answers would delay other runs.
        touches_time: what it makes earlier, later or slower, for example `recording`; None: nothing. Two variants that
            touch the same exclude each other.
        with_droplets: whether it shows only where apps run droplets.
    """

    id: str
    summary: str
    allowed_by: str
    profiles: tuple[Profile, ...]
    violates_should: tuple[str, ...] = ()
    not_judged: tuple[str, ...] = ()
    own_server: bool = False
    touches_time: str | None = None
    with_droplets: bool = False


@dataclass(frozen=True, slots=True)
class ServerProfile:
    """An implementation with many variants at once, which still conforms.

    Attributes:
        id: kebab-case.
        summary: one sentence.
        variants: ids of its variants.
    """

    id: str
    summary: str
    variants: tuple[str, ...]
