"""What `spec/` says, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How binding a requirement is, as in RFC 2119; only a MUST decides the verdict."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Profile(StrEnum):
    """Whose word a requirement is: the endpoint's documentation page, or Cloud Controller's API beyond it.

    `observe-only` is nobody's: with it only those of the others are judged that take nothing but reads.
    """

    CORE = "core"
    UPSTREAM = "upstream"
    OBSERVE_ONLY = "observe-only"


DOCUMENTED = (Profile.CORE, Profile.UPSTREAM)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One normative sentence, with an id that never changes its meaning.

    Attributes:
        id: `AREA-NN`, never reused.
        level: how binding.
        profile: whose word.
        group: heading in reports.
        statement: the sentence that the target must fulfil.
        quote: the words of the source that say so.
        source: where these words stand.
        operation: operationId in `openapi.yaml`, or "any".
        shown_by: how a run shows it.
        remedy: what to look at when it fails.
        conditional: the occasion without which it cannot be judged, and which nobody can provoke; or None.
        not_judged: why no run can judge it from outside; or None.
        observed: whether it can be judged by requests that change nothing.
    """

    id: str
    level: Level
    profile: Profile
    group: str
    statement: str
    quote: str
    source: str
    operation: str
    shown_by: str
    remedy: str
    conditional: str | None = None
    not_judged: str | None = None
    observed: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """A named way in which the reference server breaks exactly the named requirements.

    Attributes:
        id: kebab-case, after what is wrong.
        summary: one sentence.
        requirements: ids of those that it breaks.
        subtlety: what it takes to see it.
        alone: whether it hides other faults, so that none is tried beside it.
    """

    id: str
    summary: str
    requirements: tuple[str, ...]
    subtlety: str
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Variant:
    """A named way in which the reference server differs and still conforms.

    Attributes:
        id: kebab-case, after what is different.
        summary: one sentence.
        allowed_by: the words that allow it, of the documentation, of HTTP or of another standard; or "silent".
        profiles: those in which it conforms.
        violates_should: ids of SHOULDs that it does not follow.
        not_judged: ids of MUSTs that no run can judge because of it.
        own_server: whether it needs a server of its own, since it shows only by its address or its tokens and not under
            a prefix, or since others would wait for its long answers.
    """

    id: str
    summary: str
    allowed_by: str
    profiles: tuple[Profile, ...]
    violates_should: tuple[str, ...] = ()
    not_judged: tuple[str, ...] = ()
    own_server: bool = False


@dataclass(frozen=True, slots=True)
class ServerProfile:
    """A reference server that differs in several ways at once, and still conforms.

    Attributes:
        id: kebab-case.
        summary: one sentence.
        variants: ids of what it differs by.
    """

    id: str
    summary: str
    variants: tuple[str, ...]
