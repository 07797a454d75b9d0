"""Sends, times, redacts and records; judges nothing."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Barrier, Lock, local
from typing import TYPE_CHECKING, Any

import requests
import urllib3

from purge_conformance import __version__
from purge_conformance.catalogue.api import SAFE_METHODS
from purge_conformance.client.auth.credentials import Credential, for_role, with_token
from purge_conformance.client.auth.renewal import as_renewable
from purge_conformance.client.connection import Connection, ResponseDeadlineExceeded
from purge_conformance.config.roles import ADMIN
from purge_conformance.errors import RequestBlocked, TargetUnreachable, TokenExpired
from purge_conformance.evidence import clock
from purge_conformance.evidence.records import (
    CONCURRENT,
    EXPIRED_TOKEN,
    GATEWAY,
    INDUCED,
    RETRIED,
    SERVER_ERROR,
    Body,
    Exchange,
    sort_exchanges,
)
from purge_conformance.evidence.redaction import without_cookies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from purge_conformance.client.guard import Guard
    from purge_conformance.config.droplet_file import Upload
    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.journal import Journal

RawResponse = tuple[int | None, list[tuple[str, str]], bytes, str | None]  # status, headers, body, why there is none
SCHEME = "bearer "
CHUNK_BYTES = 64 * 1024
MAX_UNANSWERED = 3  # requests in a row without an answer
UNAUTHORIZED, RATE_LIMITED, INTERNAL_ERROR, BAD_GATEWAY, UNAVAILABLE, GATEWAY_TIMEOUT = 401, 429, 500, 502, 503, 504
RETRY_ANY: dict[int | None, str] = {RATE_LIMITED: "rate limit", UNAVAILABLE: "unavailable"}
# Of what changes nothing more is asked again: what came between target and suite, and is no answer of the target; and
# a failure of its own, which one judgment looks for, so that all others see what it is answered with the second time.
RETRY_SAFE_METHODS: dict[int | None, str] = {
    INTERNAL_ERROR: SERVER_ERROR,
    BAD_GATEWAY: GATEWAY,
    GATEWAY_TIMEOUT: GATEWAY,
    None: "connection",
}
CONNECTION_ERRORS = re.compile(
    "RemoteDisconnected|IncompleteRead|ConnectionResetError|ConnectionAbortedError|ConnectionRefusedError|BrokenPipeError"
)
MAX_RETRY_AFTER_S = 10.0  # the most seconds that a Retry-After is obeyed
MAX_RETRIES = {
    UNAUTHORIZED: 5,
    RATE_LIMITED: 5,
    INTERNAL_ERROR: 1,
    UNAVAILABLE: 2,
    BAD_GATEWAY: 2,
    GATEWAY_TIMEOUT: 2,
    None: 1,
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request to send.

    Attributes:
        method: HTTP method.
        path: path and query below the target's base URL; sent as it is.
        step: its place in the experiment.
        credential: whose credential it carries; None is the admin's.
        headers: beside Accept, User-Agent and Authorization.
        body: text or None.
        tags: what the experiment knows of it.
        upload: a file that is sent in place of a text, and not recorded; or None.
    """

    method: str
    path: str
    step: str
    credential: Credential | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    upload: Upload | None = None


class Client:
    """The one client of a run.

    Attributes:
        experiment: the procedure that is under way; every exchange carries its name.
        credentials: role -> credential, for each token that was given; the token that is sent is that of the moment.
        tokens: role -> token, renewed in time.
        page_sizes: path of a list -> the largest page that the target is known to give.
    """

    def __init__(
        self, settings: Settings, journal: Journal, guard: Guard, on_send: Callable[[Client, Exchange], None]
    ) -> None:
        """Hold one connection to the target a thread; `on_send` is called after every exchange, for progress."""
        self.experiment = ""
        self.page_sizes: dict[str, int] = {}
        self.guard = guard
        self.settings = settings
        self.tokens = as_renewable(settings.tokens)
        self.credentials = {role: for_role(role, token) for role, token in self.tokens.items()}
        self._journal = journal
        self._on_send = on_send
        self._redactor = self.tokens.redactor
        for name, secret in settings.transport.secrets.items():
            self._redactor.add_secret(name, secret)
        self._unanswered = 0
        self._lock = Lock()
        self._thread_local = local()

    def get(self, path: str, step: str, *, credential: Credential | None = None) -> Exchange:
        """Send a GET."""
        return self.send(Request("GET", path, step, credential))

    def post(self, path: str, step: str, *, credential: Credential | None = None, data: object = None) -> Exchange:
        """Send a POST, with `data` as its JSON body unless it is None."""
        if data is None:
            return self.send(Request("POST", path, step, credential))
        return self.send(
            Request("POST", path, step, credential, {"Content-Type": "application/json"}, json.dumps(data))
        )

    def delete(self, path: str, step: str) -> Exchange:
        """Send a DELETE."""
        return self.send(Request("DELETE", path, step))

    def send(self, request: Request) -> Exchange:
        """Send one request and record the exchange.

        A 429 or a 503 is waited out, `Retry-After` at most `PATIENCE` seconds; what changes nothing is asked again as
        well after a gateway's 502 or 504, and once after a 500, or where the connection broke. All that was asked again
        is recorded with the tag `superseded`; so is a refusal of a token that had come to its end; an error that a hook
        provoked is not. What may change something goes over a connection of its own: one that was kept may be closed by
        the target at that moment, and nobody would know whether it was done.

        Raises:
            HeldBack: the guard did not let it pass; nothing was sent.
            TokenExpired: the token has come to its end and there is no other, or what it came with is not sent twice.
            TargetLost: the target gave no answer, and neither did it to the requests before.
        """
        attempts: Counter[int | None] = Counter()
        while True:
            credential = self._with_current_token(request.credential or self.credentials[ADMIN])
            n = self.guard.admit(request.method, request.path, credential.role)
            answer = self._exchange(n, request, credential, self._prepare(request, credential))
            reason, delay = self._token_retry_reason(credential, answer) or _retry_reason(answer), _retry_delay(answer)
            if not reason or attempts[answer.status] >= MAX_RETRIES[answer.status] or delay > MAX_RETRY_AFTER_S:
                break
            attempts[answer.status] += 1  # each by itself: a gateway may fail just after a rate limit
            self._record_retried(answer, reason)
            time.sleep(delay)
        exchange = self._record(answer)
        self._raise_if_unreachable(answer)
        return exchange

    def send_concurrently(self, *scripts: Iterable[Request]) -> list[Exchange]:
        """Send the requests of several scripts, each script in a thread of its own, and return all exchanges.

        A script is asked for its next request when the one before is answered; it must come to an end. Every exchange
        carries the tag `at_once`, and neither a 429 nor a 503 is waited out: by then the others would be done.

        Raises:
            HeldBack, TargetLost: as `send`, when every script has ended.
        """
        barrier = Barrier(len(scripts))

        def run(script: Iterable[Request]) -> list[Exchange]:
            barrier.wait()
            return [self.send(replace(x, tags={**x.tags, CONCURRENT: x.step})) for x in script]

        with ThreadPoolExecutor(len(scripts)) as threads:
            futures = [threads.submit(run, script) for script in scripts]
        return list(sort_exchanges(x for done in futures for x in done.result()))

    def exchanges_of(self, experiment: str, step: str) -> list[Exchange]:
        """Return what was recorded so far of a step of an experiment."""
        return [x for x in self._journal.exchanges if (x.experiment, x.step) == (experiment, step)]

    def note_cut_short(self, reason: RequestBlocked) -> None:
        """Record why the experiment is cut short."""
        self.note("expired" if isinstance(reason, TokenExpired) else "stopped", str(reason))

    def note(self, name: str, value: Any) -> None:  # noqa: ANN401 -- any JSON value
        """Record what the experiment learnt."""
        with self._lock:
            self._journal.note(
                self.experiment, name, self._redactor.redact_text(value) if isinstance(value, str) else value
            )

    @property
    def _connection(self) -> Connection:
        """The connection of this thread."""
        if not hasattr(self._thread_local, "connection"):
            self._thread_local.connection = Connection(self.settings.target.url, self.settings.transport)
        connection: Connection = self._thread_local.connection
        return connection

    def _with_current_token(self, credential: Credential) -> Credential:
        """Return a credential made of the token that its role has now."""
        if credential.source_role not in self.tokens:
            return credential
        token = self.tokens[credential.source_role]
        return credential if credential.value == f"{SCHEME}{token}" else with_token(credential, token)

    def _token_retry_reason(self, credential: Credential, answer: Exchange) -> str:
        """Return why it is to be sent again with another token; empty unless the target refused one that had ended."""
        if answer.status != UNAUTHORIZED or credential.kind != "valid" or credential.source_role not in self.tokens:
            return ""
        rejected_token = (credential.value or "").removeprefix(SCHEME)
        try:
            is_renewed = self.tokens.renew_if_expired(
                credential.source_role, rejected_token, clock.parse_http_date(answer.header("Date"))
            )
        except TokenExpired:
            self._record_retried(answer, EXPIRED_TOKEN)
            raise
        if is_renewed and answer.method not in SAFE_METHODS:
            self._record_retried(answer, EXPIRED_TOKEN)
            raise TokenExpired(
                f"The token of {credential.source_role} expired just before {answer.method} {answer.path}. Run again."
            )
        return EXPIRED_TOKEN if is_renewed else ""

    def _prepare(self, request: Request, credential: Credential) -> requests.PreparedRequest:
        headers = {"Accept": "application/json", "User-Agent": f"purge-conformance/{__version__}", **request.headers}
        if credential.value is not None:
            headers["Authorization"] = credential.value
        body = request.upload or (request.body or "").encode()
        return self._connection.prepare(request.method, request.path, headers, body)

    def _exchange(
        self, n: int, request: Request, credential: Credential, prepared: requests.PreparedRequest
    ) -> Exchange:
        sent_at, start = time.time(), time.perf_counter()
        status, headers, body, error = self._receive(prepared)
        elapsed = time.perf_counter() - start
        redactor = self._redactor
        request_headers = {
            **prepared.headers,
            **({"Authorization": credential.redacted} if credential.redacted is not None else {}),
        }
        redacted_headers = [(str(key), str(value)) for key, value in request_headers.items()]
        return Exchange(
            n=n,
            experiment=self.experiment,
            step=request.step,
            role=credential.role,
            method=request.method,
            path=redactor.redact_text(request.path),
            request_headers=tuple(redacted_headers)
            if "Cookie" in request.headers
            else without_cookies(redacted_headers),
            request_body=None if request.body is None else redactor.redact_text(request.body),
            sent_at=sent_at,
            elapsed=elapsed,
            status=status,
            response_headers=without_cookies(redactor.redact_headers(headers)),
            body=Body(redactor.redact_bytes(body)),
            error=None if error is None else redactor.redact_text(error),
            tags=dict(request.tags),
        )

    def _receive(self, prepared: requests.PreparedRequest) -> RawResponse:
        limits = self.settings.limits
        try:
            with self._connection.send(prepared, limits.timeout) as response:
                body = bytearray()  # bytes would be copied whole with each chunk
                while chunk := response.read1(CHUNK_BYTES, decode_content=True):
                    body += chunk
                    if len(body) > limits.max_body_bytes:
                        return None, [], b"", f"the answer is larger than {limits.max_body_bytes} bytes"
                return response.status, list(response.headers.items()), bytes(body), None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            return None, [], b"", _root_cause(error)

    def _record(self, answer: Exchange) -> Exchange:
        with self._lock:
            exchange = self._journal.record(answer)
            if self._journal.error:
                self.guard.close(self._journal.error)
            self._on_send(self, exchange)
        return exchange

    def _record_retried(self, answer: Exchange, reason: str) -> None:
        self._record(replace(answer, tags={**answer.tags, RETRIED: reason}))

    def _raise_if_unreachable(self, exchange: Exchange) -> None:
        with self._lock:
            unanswered = self._unanswered = self._unanswered + 1 if exchange.status is None else 0
        if unanswered >= MAX_UNANSWERED:
            raise TargetUnreachable(
                f"{self.settings.target.url} gave no answer to {MAX_UNANSWERED} requests in a row ({exchange.error}). "
                "Check the URL, the network and the target, then run again."
            )


def _retry_reason(answer: Exchange) -> str:
    """Return what came in between, if the request is to be sent again; empty where the answer counts."""
    if answer.status is None and not CONNECTION_ERRORS.match(answer.error or ""):
        return ""
    if answer.status in {*RETRY_ANY, INTERNAL_ERROR} and CONCURRENT in answer.tags:
        return ""
    if answer.tags.get(INDUCED) == str(answer.status):
        return ""
    return (RETRY_ANY | RETRY_SAFE_METHODS if answer.method in SAFE_METHODS else RETRY_ANY).get(answer.status, "")


def _retry_delay(answer: Exchange) -> float:
    """Return for how many seconds the target wants to be left alone; more than `PATIENCE` where nobody can tell."""
    text = answer.header("Retry-After") or ("1" if answer.status == RATE_LIMITED else "0")
    if re.fullmatch("[0-9]{1,9}", text):
        return float(text)
    retry_at, now = (clock.parse_http_date(value) for value in (text, answer.header("Date")))
    if retry_at is None:
        return MAX_RETRY_AFTER_S + 1
    return max(0.0, retry_at - (answer.sent_at if now is None else now))


def _root_cause(error: BaseException) -> str:
    """Return what lies at the bottom of a failure, without the layers that wrapped it."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error) if isinstance(error, ResponseDeadlineExceeded) else f"{type(error).__name__}: {error}"
