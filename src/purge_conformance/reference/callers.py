"""Answers a call in another role than that of its token, for faults and variants."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from purge_conformance.reference.api import auth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from purge_conformance.reference.behaviour import Call, Handler, Reply


def answer_as_auditor(call: Call, answer: Handler) -> Reply:
    """Answer a call with a valid token as if it were a global auditor's."""

    def read_claims(token: str, secret: str) -> Mapping[str, Any]:
        claims = call.behaviour.read_claims(token, secret)
        return {**claims, "scope": [*claims["scope"], auth.GLOBAL_AUDITOR]}

    return answer(replace(call, behaviour=replace(call.behaviour, read_claims=read_claims)))
