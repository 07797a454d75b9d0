"""The declared values of tags, and a role, that more than one room reads."""

from __future__ import annotations

from enum import StrEnum


class CredentialKind(StrEnum):
    """Values of Tag.CREDENTIAL: whether a credential is valid, or what its defect is."""

    NONE = "none"
    MALFORMED = "malformed"
    INVALID = "invalid"
    EXPIRED = "expired"
    VALID = "valid"


class HeaderSet(StrEnum):
    """Values of Tag.HEADERS: which set of headers a purge carries."""

    NEGOTIATION = "negotiation"  # all forms of the answer that are accepted include JSON
    CLIENTS = "clients"  # of browsers, proxies and tracers
    CONDITIONS = "conditions"
    REFUSABLE = "refusable"  # conditions and others, which HTTP lets a server refuse
    LONG = "long"  # those of clients, long values, many fields, bytes beyond ASCII
    ALL = "all"  # together: negotiation, conditions, long


WITH_OTHER_TOKEN = frozenset({HeaderSet.REFUSABLE})  # sets with a second Authorization header, which is no token


GOOD_LAST = "good-last"  # role of a purge with an Authorization header that is no token, and then the admin's


class Retry(StrEnum):
    """Values of Tag.SUPERSEDED: why a request was sent again."""

    RATE_LIMIT = "rate limit"
    UNAVAILABLE = "unavailable"
    FAILURE = "failure"  # a 500 to a read, which is sent once more
    GATEWAY = "gateway"  # a 502 or 504 to a read, from between target and suite
    CONNECTION = "connection"
    EXPIRED_TOKEN = "expired token"  # noqa: S105 -- a reason


class CaseMode(StrEnum):
    """Values of Tag.MODE: whether the document allows the generated request. They are those of Schemathesis."""

    POSITIVE = "positive"
    NEGATIVE = "negative"


class GeneratedAuth(StrEnum):
    """Values of Tag.AUTH: the Authorization header of a generated case."""

    TOKEN = "token"  # noqa: S105 -- the suite adds a valid token
    NONE = "none"  # there is no header
    GENERATED = "generated"  # the case has a generated header
