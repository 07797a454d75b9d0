"""Secrets that are replaced only where they stand as a credential: short ones, and words that the suite writes."""

from __future__ import annotations

import re
from functools import cache

from purge_conformance import catalogue
from purge_conformance.config.options import KEYS
from purge_conformance.evidence.needles import MIN_SECRET_LENGTH, plain_forms
from purge_conformance.evidence.units import TOO_DEEP, left_out

_CREDENTIAL_NAME = rb"[\w-]*(?:token|passw|passphrase|secret|assertion|credential|api_?key|authorization)[\w-]*"
_BEFORE = (
    rb"\b(?:bearer|basic)(?:\s|\+|%20)+"  # an Authorization header
    rb"|" + _CREDENTIAL_NAME + rb"[\"']?\s*[=:]\s*[\"']?(?:bearer\s+)?"  # a form, JSON, a query
    rb"|[\w.%-]+:(?=[^\s/@]*@)"  # user:password@host
)


def reason_for_care(secret: str) -> str:
    """Return why a secret cannot be replaced everywhere; empty if it can be."""
    if len(secret) < MIN_SECRET_LENGTH:
        return f"has fewer than {MIN_SECRET_LENGTH} characters"
    return "is a word that the suite itself writes" if secret.casefold() in _own_text() else ""


def credential_pattern(secret: str) -> re.Pattern[bytes]:
    """Return the pattern of a secret that stands as a credential; its group 1 is what precedes the secret."""
    forms = sorted((form.encode("utf-8", "surrogatepass") for form in plain_forms(secret)), key=len, reverse=True)
    return re.compile(rb"(?i)(%s)(?:%s)(?![\w.~-])" % (_BEFORE, b"|".join(map(re.escape, forms))))


@cache
def _own_text() -> str:
    """Return what the suite writes of its own: the catalogue, the API's names, the options."""
    words = (f"{key.name} {key.option} {key.variable} {key.help} {key.metavar}" for key in KEYS)
    texts = (*map(catalogue.read_text, catalogue.digests()), *words, TOO_DEEP.decode(), left_out(()).decode())
    return "\n".join(texts).casefold()
