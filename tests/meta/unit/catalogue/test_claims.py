"""The docstring of each judgment is its claim: one sentence with one keyword of RFC 2119, the requirement's level."""

from __future__ import annotations

import re
from importlib import import_module
from pkgutil import iter_modules

import pytest

from purge_conformance import catalogue

PACKAGE = "purge_conformance.conformance"
KEYWORD = re.compile(r"\b(?:MUST|SHOULD|MAY)\b")
# RFC 2119 has no "No X MUST do Y": it permits Y. The prohibition is "X MUST NOT do Y".
NEGATED_SUBJECT = re.compile(r"\b(no|none|nothing|nobody)\b[^.]*\b(MUST|SHOULD)\b(?! NOT)", re.IGNORECASE)
SENTENCE_END = re.compile(r"\.(?=\s|$)")


def _claims() -> dict[str, str]:
    """Return requirement id -> docstring of its judgment."""
    modules = [import_module(f"{PACKAGE}.{module.name}") for module in iter_modules(import_module(PACKAGE).__path__)]
    functions = [value for module in modules for value in vars(module).values()]
    marks = [(mark, function) for function in functions for mark in getattr(function, "pytestmark", ())]
    return {mark.args[0]: function.__doc__ or "" for mark, function in marks if mark.name == "requirement"}


CLAIMS = _claims()
LEVELS = {requirement.id: str(requirement.level) for requirement in catalogue.requirements()}


@pytest.mark.parametrize(("requirement_id", "claim"), CLAIMS.items(), ids=CLAIMS)
def test_claim_is_one_sentence(requirement_id: str, claim: str) -> None:
    """A claim is one sentence with exactly one keyword, which is the level of its requirement."""
    assert claim.endswith(".")
    assert "\n" not in claim
    assert len(SENTENCE_END.findall(claim)) == 1
    assert KEYWORD.findall(claim) == [LEVELS[requirement_id]]


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_prohibition_is_must_not(claim: str) -> None:
    """A claim with a negated subject does not prohibit anything in the sense of RFC 2119."""
    assert not NEGATED_SUBJECT.search(claim)
