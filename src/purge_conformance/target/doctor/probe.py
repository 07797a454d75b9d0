"""Reads a few resources of a target, for `doctor` and `plan` and at the beginning of a run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import EVENTS_PATH, resource_path
from purge_conformance.client.auth.credentials import ANONYMOUS
from purge_conformance.client.guard import CLEANUP_RESERVE
from purge_conformance.client.unrecorded import unrecorded_client
from purge_conformance.config.apps import Mode
from purge_conformance.config.roles import ADMIN, EXPIRED
from purge_conformance.errors import TokenExpired
from purge_conformance.evidence.steps import Step
from purge_conformance.target import doctor
from purge_conformance.target.candidates import DROPLETS_PATH, SPACES_PATH
from purge_conformance.target.doctor import ProbeResult
from purge_conformance.target.doctor.connectivity import is_root
from purge_conformance.target.doctor.duration import Work
from purge_conformance.target.doctor.resources import is_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from purge_conformance.client.auth.credentials import Credential
    from purge_conformance.client.client import Client
    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange

APPS_PATH = "/v3/apps?per_page=1"
ONE_EVENT_PATH = f"{EVENTS_PATH}?per_page=1"
NEWEST_EVENT = f"{EVENTS_PATH}?order_by=-created_at&per_page=1"
MAX_READS_PER_ROLE = 4
REJECTIONS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


def run_checks(settings: Settings, work: Work | None = None) -> tuple[doctor.Check, ...]:
    """Return the findings about a target; `work` is what a run is expected to do."""
    return doctor.checks(probe_unrecorded(settings, work), settings)


def probe_unrecorded(
    settings: Settings, work: Work | None = None, on_exchange: Callable[[Exchange], None] = lambda _: None
) -> ProbeResult:
    """Return the answers to the reads before a run, and to one for the newest event; they are written to no file.

    Sends about six reads, one per token, and a few more where a token, the space or the droplet is in doubt.
    """
    max_requests = 2 * CLEANUP_RESERVE + MAX_READS_PER_ROLE * len(settings.tokens)
    with unrecorded_client(settings, max_requests=max_requests, on_exchange=on_exchange) as client:
        probe = probe_target(client, work)
        if client.guard.requests > 1 and ADMIN not in probe.expired_tokens:
            newest = client.get(NEWEST_EVENT, Step.NEWEST_EVENT)
            reads = _reads_for_apps(settings) if newest.status else ()
            probe = replace(probe, answers=(*probe.answers, newest, *(client.get(path, step) for path, step in reads)))
        return probe


def _reads_for_apps(settings: Settings) -> Iterator[tuple[str, Step]]:
    """Yield the reads of what the suite's apps could use, which only `doctor` and `plan` send."""
    if settings.apps.mode is Mode.OBSERVE and not settings.is_read_only:
        yield SPACES_PATH, Step.FIND_SPACE
    if settings.apps.mode is Mode.DRIVE and settings.apps.has_nothing_to_run:
        yield DROPLETS_PATH, Step.FIND_DROPLET


def probe_target(client: Client, work: Work | None = None) -> ProbeResult:
    """Read the root without a token, apps and events as admin, events in each other role, the space and the droplet."""
    probe = _Probe(client)
    root = probe.read("/", Step.ROOT, ANONYMOUS)
    if root and root.status is not None:
        if not is_root(root):
            probe.read("/v3", Step.V3_ROOT, ANONYMOUS)
        probe.read_as_admin()
        for role, credential in client.credentials.items():
            if role != ADMIN:
                probe.read_as_role(credential)
        apps = client.settings.apps
        for path, guid, step in (("/v3/spaces", apps.space, Step.SPACE), ("/v3/droplets", apps.droplet, Step.DROPLET)):
            if guid:
                probe.read_resource(resource_path(path, guid), step)
    return ProbeResult(tuple(probe.answers), probe.expired_tokens, work or Work())


@dataclass(frozen=True)
class _Probe:
    """Sends the reads, and collects the answers and the tokens that have expired."""

    client: Client
    answers: list[Exchange] = field(default_factory=list)
    expired_tokens: dict[str, str] = field(default_factory=dict)

    def read(self, path: str, step: Step, credential: Credential | None = None) -> Exchange | None:
        """Return the answer to a read, as the admin without a credential; None: the token has expired."""
        role = ADMIN if credential is None else credential.role
        if role in self.expired_tokens:
            return None
        try:
            answer = self.client.get(path, step, credential=credential)
        except TokenExpired as reason:
            self.client.note_cut_short(reason)
            self.expired_tokens[role] = str(reason)
            return None
        self.answers.append(answer)
        return answer

    def read_as_admin(self) -> None:
        """Read apps and events, and both again if both answer 401: one 401 in passing proves nothing."""
        reads = ((APPS_PATH, Step.APPS), (ONE_EVENT_PATH, Step.EVENTS))
        answers = [self.read(path, step) for path, step in reads]
        if all(map(_is_unauthorized, answers)):
            for path, step in reads:
                self.read(path, step)

    def read_as_role(self, credential: Credential) -> None:
        """Read events; if they answer 401 or 403 to a valid token, read apps; after two 401, read events again."""
        answer = self.read(ONE_EVENT_PATH, Step.EVENTS_AS_ROLE, credential)
        if credential.role == EXPIRED or answer is None or answer.status not in REJECTIONS:
            return
        of_apps = self.read(APPS_PATH, Step.APPS_AS_ROLE, credential)
        if _is_unauthorized(answer) and _is_unauthorized(of_apps):
            self.read(ONE_EVENT_PATH, Step.EVENTS_AS_ROLE, credential)

    def read_resource(self, path: str, step: Step) -> None:
        """Read a resource as the admin, and again if it is not found."""
        answer = self.read(path, step)
        if answer and is_missing(answer):
            self.read(path, step)


def _is_unauthorized(answer: Exchange | None) -> bool:
    return answer is not None and answer.status == HTTPStatus.UNAUTHORIZED
