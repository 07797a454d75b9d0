"""Why no request with the token of a role was answered: there is no such token, or its requests got no answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.analysis.next_steps import give_token
from purge_conformance.analysis.outcomes import NotExercised, Undecided
from purge_conformance.analysis.unanswered import find_unanswered
from purge_conformance.config.roles import ADMIN
from purge_conformance.evidence.steps import Tag
from purge_conformance.evidence.tag_values import CredentialKind
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.evidence.records import Evidence, Exchange

NO_OTHER_ROLE = "There is no token without the admin scope."


def explain_missing_token(sent: Iterable[Exchange], reason: str, *roles: str) -> Undecided:
    """Return why none of these requests can be judged.

    Args:
        sent: all requests with such a token, answered or not.
        reason: what is true if there are none, as a sentence.
        roles: of the tokens to give in that case.
    """
    unanswered = find_unanswered(sent)
    return unanswered or NotExercised(reason, Cause.CONFIGURATION, give_token(*roles))


def sent_as_other_roles(evidence: Evidence) -> list[Exchange]:
    """Return the requests with a valid token that lacks the admin scope."""
    valid = (x for x in evidence.exchanges if x.tags.get(Tag.CREDENTIAL) == CredentialKind.VALID)
    return [x for x in valid if x.role != ADMIN]
