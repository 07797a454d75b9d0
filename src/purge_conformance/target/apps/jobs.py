"""The jobs of asynchronous requests: where they are, and what becomes of them."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from purge_conformance.evidence.listing import dig, split_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.records import Exchange

JOB = re.compile(r"/v3/jobs/[A-Za-z0-9._~-]{1,255}$")
POLLS = 20  # at one job, or at what else is done by and by
POLL_DELAYS = (0.1, 2.0)  # seconds before the second look, and the most before any
NOT_FOUND = 404


def job_path(answer: Exchange) -> str | None:
    """Return the path of the job that an answer tells of; whatever host it names, the target is the one to ask."""
    parts = split_url(answer.header("Location") or "")
    match = JOB.search(parts.path) if parts else None
    return match[0] if match and answer.status == 202 else None  # noqa: PLR2004 -- accepted


def await_job(client: Client, job: str, step: str) -> str:
    """Wait, within bounds, until a job has come to its end; return why it did not do what it is for, or nothing."""
    state: object = None
    for _ in poll():
        answer = client.get(job, step)
        state = dig(answer.json, "state") if isinstance(answer.json, dict) else None
        if state == "COMPLETE" or answer.status == NOT_FOUND:
            return ""  # what is over may be forgotten
        if state == "FAILED":
            return f"its job failed: {answer.text[:200]}"
        if state is None:
            return f"its job cannot be read: {answer.status or answer.error}"
    return f"its job is still {state}"


def poll(polls: int = POLLS) -> Iterator[int]:
    """Yield the numbers of the looks at what is done by and by, with a pause before each but the first."""
    delay, longest = POLL_DELAYS
    for number in range(polls):
        if number:
            time.sleep(min(longest, delay * 2 ** (number - 1)))
        yield number
