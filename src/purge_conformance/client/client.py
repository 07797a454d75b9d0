"""The client of a run: it sends, times, redacts and records each request, and judges nothing."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from threading import Barrier, local
from typing import TYPE_CHECKING

from purge_conformance import __version__
from purge_conformance.catalogue.api import EVENTS_PATH, SAFE_METHODS, is_purge
from purge_conformance.client.auth.acceptance import Acceptance, is_rejection
from purge_conformance.client.auth.credentials import GARBAGE, SCHEME, Credential, for_role, with_token
from purge_conformance.client.auth.renewal import as_renewable
from purge_conformance.client.connection import SEND_ERRORS, Connection, ResponseDeadlineExceeded
from purge_conformance.client.recorder import Recorder
from purge_conformance.client.retries import RETRY_ANY, Attempts, retry_reason
from purge_conformance.client.sizes import ResponseTooLarge, read_body, require_bounds
from purge_conformance.config.roles import ADMIN
from purge_conformance.errors import RequestBlocked, TargetUnreachable, TokenExpired
from purge_conformance.evidence import clock, notes
from purge_conformance.evidence.intermediaries import is_there
from purge_conformance.evidence.records import Exchange, sort_exchanges
from purge_conformance.evidence.redaction import fragment_variable, without_cookies
from purge_conformance.evidence.retry_after import names_wait
from purge_conformance.evidence.steps import YES, Step, Tag, place_of
from purge_conformance.evidence.tag_values import CredentialKind, Retry
from purge_conformance.evidence.url_passwords import without_passwords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import requests

    from purge_conformance.client.guard import Guard
    from purge_conformance.config.droplet_file import Upload
    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.journal import Journal
    from purge_conformance.evidence.steps import Place, Where

RawResponse = tuple[int | None, list[tuple[str, str]], bytes, str | None]  # status, headers, body, error
EXHAUSTED_BODY_BYTES = 64 * 1024  # of a response that cleans up after the responses used up their memory
MAX_UNANSWERED = 3  # consecutive requests without a response
REACHABILITY_TRIES = 2  # of a plain GET after them
PLAIN_READS = ("/v3/apps?per_page=1", f"{EVENTS_PATH}?per_page=1")


@dataclass(frozen=True, slots=True)
class Request:
    """One request to send.

    Attributes:
        method: HTTP method.
        path: path and query below the target's base URL; sent unchanged.
        where: its place in the scenario, or the step of a place without further members.
        credential: what `Authorization` contains; None is the admin's token.
        headers: in addition to Accept, User-Agent and Authorization; None leaves out a header that is sent otherwise.
        body: text or None.
        tags: what the scenario knows about the request.
        upload: a file to send instead of `body`, without recording it; or None.
        scheme: how the scheme of the credential, bearer, is written.
    """

    method: str
    path: str
    where: Where
    credential: Credential | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    body: str | None = None
    tags: Mapping[Tag, str] = field(default_factory=dict)
    upload: Upload | None = None
    scheme: str = SCHEME

    @property
    def place(self) -> Place:
        """The place, also where `where` is a step."""
        return place_of(self.where)


class Client(Recorder):
    """The one client of a run.

    Attributes:
        credentials: role -> credential, for each configured token; `send` replaces the token after a renewal.
        tokens: role -> token, renewed before it expires.
        before_purge: is called before each purge that is not concurrent, and may send reads.
        page_sizes: path of a list -> the largest page size that the target is known to accept.
        planned_requests: how many requests the current scenario may send, without those reserved for the ones after it.
        planned_purges: how many purges the current scenario is planned to send; it may be given fewer than it could
            use.
    """

    def __init__(
        self, settings: Settings, journal: Journal, guard: Guard, on_send: Callable[[Client, Exchange], None]
    ) -> None:
        """Prepare one connection per thread; `on_send` is called after every exchange, to show progress."""
        self.tokens = as_renewable(settings.tokens)
        super().__init__(journal, self.tokens.redactor)
        self.page_sizes: dict[str, int] = {}
        self.guard = guard
        self.planned_requests = settings.limits.max_requests
        self.planned_purges = settings.limits.max_purges
        self.before_purge: Callable[[], None] = lambda: None
        self.settings = settings
        self.credentials = {role: for_role(role, token) for role, token in self.tokens.items()}
        self._on_send = on_send
        for name, secret in settings.secrets:
            self.redactor.add_secret(name, secret)
        self._unanswered = 0
        self._acceptance = Acceptance()
        self._thread_local = local()

    def get(self, path: str, where: Where, *, credential: Credential | None = None) -> Exchange:
        """Send a GET request with the admin's token, or with another credential."""
        return self.send(Request("GET", path, where, credential))

    def post(self, path: str, where: Where, *, credential: Credential | None = None, data: object = None) -> Exchange:
        """Send a POST request, with `data` as its JSON body unless `data` is None."""
        if data is None:
            return self.send(Request("POST", path, where, credential))
        return self.send(
            Request("POST", path, where, credential, {"Content-Type": "application/json"}, json.dumps(data))
        )

    def delete(self, path: str, where: Where) -> Exchange:
        """Send a DELETE request with the admin's token."""
        return self.send(Request("DELETE", path, where))

    def send(self, request: Request) -> Exchange:
        """Send one request and record the exchange.

        The client waits and sends again after 429 and 503, as long as the response asks, at most `Limits.patience`
        seconds in all; a response that asks for more is final and gets the tag `long-wait`. A safe method is sent again
        also after a gateway's 502 or 504, a broken connection, and once after a 500. A superseded exchange has the tag
        `superseded`; so has the 401 for an expired token. An error that a hook induced is final.

        Raises:
            RequestBlocked, Interrupted: the guard blocked the request; nothing was sent.
            TokenExpired: the role's token has expired and cannot be renewed, or was renewed after an unsafe request.
            TargetUnreachable: neither this request nor the ones before got a response.
        """
        attempts = Attempts(self.settings.limits.patience)
        while True:
            credential = self._with_current_token(request.credential or self.credentials[ADMIN])
            if is_purge(request.method, request.path) and Tag.CONCURRENT not in request.tags:
                self.before_purge()
            n = self.guard.admit(
                request.method, request.path, credential.role, has_credentials=not credential.is_missing
            )
            sent = credential.under(request.scheme)
            answer = self._exchange(n, request, sent, self._prepare(request, sent))
            reason = self._token_retry_reason(credential, answer) or retry_reason(answer)
            if reason == Retry.CONNECTION and credential.is_missing:
                self.guard.without_credentials -= 1  # a limit of the target counts what the target answers
            delay = attempts.next_delay(answer) if reason and self.may_send(credential) else None
            if delay is None:
                break
            self._record_retried(answer, reason)
            time.sleep(min(delay, self.guard.time_limit.left))
        if answer.status in RETRY_ANY and reason and attempts.is_too_long(answer):
            answer = replace(answer, tags={**answer.tags, Tag.LONG_WAIT: names_wait(answer)})
        exchange = self._record(answer)
        if answer.status is None:
            self.guard.time_limit.require()  # else the end of the time looks like a target that does not respond
        self._raise_if_unreachable(answer)
        return exchange

    def may_send(self, credential: Credential | None, reserve: int = 0) -> bool:
        """Whether a request with this credential may still be sent: few without any are, and a reserve remains."""
        return not (credential and credential.is_missing) or self.guard.without_credentials_left > reserve

    def send_concurrently(self, *scripts: Iterable[Request]) -> list[Exchange]:
        """Send the requests of several scripts, each script in its own thread, and return all exchanges.

        A script yields its next request after the previous response; it must be finite. Every exchange carries the tag
        `concurrent`, and 429, 500 and 503 are not retried: by then the other scripts would have finished.

        Raises:
            RequestBlocked, TargetUnreachable: as `send`, after every script has ended.
        """
        barrier = Barrier(len(scripts))

        def run(script: Iterable[Request]) -> list[Exchange]:
            barrier.wait()
            return [self.send(replace(x, tags={**x.tags, Tag.CONCURRENT: YES})) for x in script]

        with ThreadPoolExecutor(len(scripts)) as threads:
            futures = [threads.submit(run, script) for script in scripts]
        return list(sort_exchanges(x for done in futures for x in done.result()))

    def note_cut_short(self, reason: RequestBlocked) -> None:
        """Record why the current scenario ends early."""
        self.note(notes.EXPIRED if isinstance(reason, TokenExpired) else notes.STOPPED, str(reason))

    @property
    def _connection(self) -> Connection:
        """The current thread's connection."""
        if not hasattr(self._thread_local, "connection"):
            self._thread_local.connection = Connection(self.settings.target.url, self.settings.transport)
        connection: Connection = self._thread_local.connection
        return connection

    def _with_current_token(self, credential: Credential) -> Credential:
        """Return the credential with the current token of its role."""
        if credential.source_role not in self.tokens:
            return credential
        token = self.tokens[credential.source_role]
        return credential if credential.value == f"{SCHEME} {token}" else with_token(credential, token)

    def _token_retry_reason(self, credential: Credential, answer: Exchange) -> str:
        """Return why to send again with another token; empty unless the target rejected an expired or revoked one.

        A rejection may as well concern another Authorization header beside the token.
        """
        if (
            credential.kind is not CredentialKind.VALID
            or credential.source_role not in self.tokens
            or credential.second
        ):
            return ""
        role, rejected_token = credential.source_role, (credential.value or "").removeprefix(f"{SCHEME} ")
        doubt = self._acceptance.note(rejected_token, answer)
        if answer.status != HTTPStatus.UNAUTHORIZED and not doubt:
            return ""
        try:
            is_renewed = answer.status == HTTPStatus.UNAUTHORIZED and self.tokens.renew_if_expired(
                role, rejected_token, clock.parse_http_date(answer.header("Date"))
            )
            if doubt and not is_renewed and self._is_rejected_everywhere(credential):
                is_renewed = self.tokens.replace_revoked(role, rejected_token, doubt)
        except TokenExpired:
            self._record_retried(answer, Retry.EXPIRED_TOKEN)
            raise
        if is_renewed and answer.method not in SAFE_METHODS:
            self._record_retried(answer, Retry.EXPIRED_TOKEN)
            raise TokenExpired(
                f"The token of {credential.source_role} expired just before {answer.method} {answer.path}, "
                "which is not sent twice. Run again."
            )
        return Retry.EXPIRED_TOKEN if is_renewed else ""

    def _is_rejected_everywhere(self, credential: Credential) -> bool:
        """Whether plain reads of apps and events are rejected too, so that it is the token that is rejected."""
        is_rejected = False
        for path in PLAIN_READS:
            answer = self._ask(path, Step.TOKEN_CHECK, credential)
            if answer.succeeded:
                return False
            is_rejected = is_rejected or is_rejection(answer)
        return is_rejected

    def _ask(self, path: str, step: Step, credential: Credential) -> Exchange:
        """Send a plain GET once and record it, whatever the answer is."""
        request = Request("GET", path, step, credential)
        n = self.guard.admit(request.method, path, credential.role)
        return self._record(self._exchange(n, request, credential, self._prepare(request, credential)))

    def _prepare(self, request: Request, credential: Credential) -> requests.PreparedRequest:
        headers: dict[str, str | None] = {
            "Accept": "application/json",
            "User-Agent": f"purge-conformance/{__version__}",
            **request.headers,
        }
        authorization = [each.value or "" for each in credential.lines]
        if authorization:
            headers["Authorization"] = authorization[0]
        body = request.upload or (request.body or "").encode()
        second = {"Authorization": authorization[1]} if len(authorization) > 1 else {}
        return self._connection.prepare(request.method, request.path, headers, body, second)

    def _exchange(
        self, n: int, request: Request, credential: Credential, prepared: requests.PreparedRequest
    ) -> Exchange:
        sent_at, start = time.time(), time.perf_counter()
        status, headers, body, error = self._receive(prepared)
        elapsed = time.perf_counter() - start
        redactor = self.redactor
        redactor.add_secret(fragment_variable(credential.source_role), credential.fragment)
        redactor.add_cookies(headers)
        authorization = [each.redacted for each in credential.lines if each.redacted is not None]
        others = [(str(key), str(value)) for key, value in prepared.headers.items() if key != "Authorization"]
        redacted_headers = redactor.redact_headers([*others, *(("Authorization", value) for value in authorization)])
        exchange = Exchange(
            n=n,
            scenario=self.scenario,
            round=self.round,
            place=request.place,
            role=credential.role,
            method=request.method,
            path=redactor.redact_text(request.path),
            request_headers=redacted_headers if "Cookie" in request.headers else without_cookies(redacted_headers),
            request_body=None if request.body is None else redactor.redact_text(request.body),
            sent_at=sent_at,
            elapsed=elapsed,
            status=status,
            response_headers=without_cookies(redactor.redact_headers(headers)),
            body=self.redact_body(body),
            error=None if error is None else redactor.redact_text(error),
            tags={tag: redactor.redact_text(value) for tag, value in request.tags.items()},
        )
        return without_passwords(exchange)

    def _receive(self, prepared: requests.PreparedRequest) -> RawResponse:
        limits, seconds_left = self.settings.limits, self.guard.time_limit.left
        try:
            with self._connection.send(prepared, limits.timeout, seconds_left) as response:
                headers = list(response.headers.items())
                body = read_body(response, EXHAUSTED_BODY_BYTES if self.guard.exhausted else limits.max_body_bytes)
            require_bounds(headers, body, limits)
        except SEND_ERRORS as error:
            return None, [], b"", _root_cause(error)
        except ResponseTooLarge as error:
            return None, [], b"", str(error)
        return response.status, headers, body, None

    def _record(self, answer: Exchange) -> Exchange:
        with self._lock:
            exchange = self._journal.record(answer)
            if self._journal.error:
                self.guard.close(self._journal.error)
            self.guard.exhausted = self._journal.excess(self.settings.limits)
            self._on_send(self, exchange)
        return exchange

    def _record_retried(self, answer: Exchange, reason: str) -> None:
        self._record(replace(answer, tags={**answer.tags, Tag.SUPERSEDED: reason}))

    def _raise_if_unreachable(self, exchange: Exchange) -> None:
        with self._lock:
            unanswered = self._unanswered = self._unanswered + 1 if exchange.status is None else 0
        if unanswered < MAX_UNANSWERED:
            return
        if any(is_there(self._ask(PLAIN_READS[-1], Step.REACHABILITY, GARBAGE)) for _ in range(REACHABILITY_TRIES)):
            self._unanswered = 0  # a firewall may close the connection instead of an answer
            return
        raise TargetUnreachable(
            f"{self.settings.target.url} did not respond to {MAX_UNANSWERED} consecutive requests, nor to a plain GET "
            f"({exchange.error}). Check the URL, the network and the target (`purge-conformance doctor` does), "
            "then run again."
        )


def _root_cause(error: BaseException) -> str:
    """Return the innermost exception as text, without the ones that wrap it."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error) if isinstance(error, ResponseDeadlineExceeded) else f"{type(error).__name__}: {error}"
