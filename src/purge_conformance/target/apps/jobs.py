"""Waits for the jobs of asynchronous requests."""

from __future__ import annotations

import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import is_usable_guid, resource_path
from purge_conformance.evidence.listing import dig, split_url
from purge_conformance.evidence.steps import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.records import Exchange

JOBS = "/v3/jobs"
JOB = re.compile(rf"{JOBS}/([A-Za-z0-9._~-]{{1,255}})$")
POLLS = 20
POLL_DELAYS = (0.1, 2.0)  # seconds before the second poll, and at most before any


def job_path(answer: Exchange) -> str | None:
    """Return the path of the job in a 202's `Location`; None if there is none.

    The job is read at the target, whatever host the link names: a target behind a proxy may know itself by another.
    """
    parts = split_url(answer.header("Location") or "")
    match = JOB.search(parts.path) if parts else None
    if not match or not is_usable_guid(match[1]) or answer.status != HTTPStatus.ACCEPTED:
        return None
    return resource_path(JOBS, match[1])


def await_job(client: Client, job: str) -> str:
    """Poll a job until it ends, at most `POLLS` times; return why it did not succeed, or an empty string."""
    state: object = None
    for _ in poll():
        answer = client.get(job, Step.AWAIT_JOB)
        state = dig(answer.json, "state") if isinstance(answer.json, dict) else None
        if state == "COMPLETE" or answer.status == HTTPStatus.NOT_FOUND:
            return ""  # a target may delete finished jobs
        if state == "FAILED":
            return f"its job failed: {answer.text[:200]}"
        if state is None:
            return f"its job cannot be read: {answer.status or answer.error}"
    return f"its job is still {state}"


def poll(polls: int = POLLS) -> Iterator[int]:
    """Yield the number of each poll, after a growing delay before each except the first."""
    delay, longest = POLL_DELAYS
    for number in range(polls):
        if number:
            time.sleep(min(longest, delay * 2 ** (number - 1)))
        yield number
