"""Checks that the space and the droplet that the user names exist on the target."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from purge_conformance.evidence.listing import dig, is_page
from purge_conformance.evidence.steps import Step
from purge_conformance.target.doctor.check import Check, ok, refusal, warning

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from purge_conformance.evidence.records import Exchange

STAGED = "STAGED"
MAX_QUOTED_CHARS = 40  # of a state
ROUTER_ERROR = "X-Cf-Routererror"  # a 404 of Cloud Foundry's router, which found no API to ask
FLAGS = {Step.SPACE: "--space", Step.DROPLET: "--app-droplet"}


def is_missing(answer: Exchange) -> bool:
    """Whether the API answered that there is no such resource; a router that answers in its place does not know."""
    return answer.status == HTTPStatus.NOT_FOUND and not answer.header(ROUTER_ERROR)


def checks(exchanges: Sequence[Exchange]) -> Iterable[Check]:
    """Yield a finding about each resource that was asked for, if the target is the API: its 404 means something."""
    if not any(is_page(x) for x in exchanges if x.step in {Step.APPS, Step.EVENTS}):
        return
    for step in FLAGS:
        if answers := [x for x in exchanges if x.step is step]:
            yield _check_resource(step, answers)


def _check_resource(step: Step, answers: Sequence[Exchange]) -> Check:
    last, flag = answers[-1], FLAGS[step]
    got = f"{last.status or last.error} to GET {last.path}"
    if all(map(is_missing, answers)):
        next_step = f"Give {flag} GUID of a {step} that exists on this target."
        return refusal(step, got, f"a {step} that exists", next_step)
    if not last.succeeded:
        return warning(step, got, f"the {step}", f"Check {flag} GUID; it could not be checked.")
    state = dig(last.json, "state") if isinstance(last.json, dict) else None
    if step is Step.DROPLET and isinstance(state, str) and state != STAGED:
        next_step = f"Give {flag} GUID of a droplet in the state {STAGED}: `cf curl /v3/droplets` lists the states."
        return refusal(step, f"its state is {state[:MAX_QUOTED_CHARS]!r}", f"the state {STAGED}", next_step)
    return ok(step, f"{last.path} exists")
