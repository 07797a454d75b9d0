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
from purge_conformance.catalogue.api import SAFE
from purge_conformance.client.auth.renewal import kept
from purge_conformance.client.connection import Connection, NotWhole
from purge_conformance.client.credentials import Credential, of_role, remade
from purge_conformance.config.roles import ADMIN
from purge_conformance.errors import HeldBack, TargetLost, TokenExpired
from purge_conformance.evidence import clock
from purge_conformance.evidence.records import (
    AT_ONCE,
    EXPIRED_TOKEN,
    FAILURE,
    GATEWAY,
    PROVOKED,
    SUPERSEDED,
    Body,
    Exchange,
    in_order,
)
from purge_conformance.evidence.redaction import without_cookies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from purge_conformance.client.guard import Guard
    from purge_conformance.config.droplet_file import Upload
    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.journal import Journal

Answer = tuple[int | None, list[tuple[str, str]], bytes, str | None]  # status, headers, body, why there is none
SCHEME = "bearer "
CHUNK = 64 * 1024
LOST_AFTER = 3  # requests in a row without an answer
UNAUTHORIZED, RATE_LIMITED, FAILED, BAD_GATEWAY, UNAVAILABLE, GATEWAY_TIMEOUT = 401, 429, 500, 502, 503, 504
WAITED_OUT: dict[int | None, str] = {RATE_LIMITED: "rate limit", UNAVAILABLE: "unavailable"}
# Of what changes nothing more is asked again: what came between target and suite, and is no answer of the target; and
# a failure of its own, which one judgment looks for, so that all others see what it is answered with the second time.
READ_AGAIN: dict[int | None, str] = {
    FAILED: FAILURE,
    BAD_GATEWAY: GATEWAY,
    GATEWAY_TIMEOUT: GATEWAY,
    None: "connection",
}
BROKEN = re.compile(
    "RemoteDisconnected|IncompleteRead|ConnectionResetError|ConnectionAbortedError|ConnectionRefusedError|BrokenPipeError"
)
PATIENCE = 10.0  # the most seconds that a Retry-After is obeyed
RETRIES = {UNAUTHORIZED: 5, RATE_LIMITED: 5, FAILED: 1, UNAVAILABLE: 2, BAD_GATEWAY: 2, GATEWAY_TIMEOUT: 2, None: 1}


@dataclass(frozen=True, slots=True)
class Request:
    """One request to send.

    Attributes:
        method: HTTP method.
        path: path and query below the target's base URL; sent as it is.
        step: its place in the experiment.
        by: whose credential it carries; None is the admin's.
        headers: beside Accept, User-Agent and Authorization.
        body: text or None.
        tags: what the experiment knows of it.
        upload: a file that is sent in place of a text, and not recorded; or None.
    """

    method: str
    path: str
    step: str
    by: Credential | None = None
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
        per_page: path of a list -> the largest page that the target is known to give.
    """

    def __init__(
        self, settings: Settings, journal: Journal, guard: Guard, on_send: Callable[[Client, Exchange], None]
    ) -> None:
        """Hold one connection to the target a thread; `on_send` is called after every exchange, for progress."""
        self.experiment = ""
        self.per_page: dict[str, int] = {}
        self.guard = guard
        self.settings = settings
        self.tokens = kept(settings.tokens)
        self.credentials = {role: of_role(role, token) for role, token in self.tokens.items()}
        self._journal = journal
        self._on_send = on_send
        self._redactor = self.tokens.redactor
        for name, secret in settings.transport.secrets.items():
            self._redactor.learn(name, secret)
        self._lost = 0
        self._recording = Lock()
        self._own = local()

    def get(self, path: str, step: str, *, by: Credential | None = None) -> Exchange:
        """Send a GET."""
        return self.send(Request("GET", path, step, by))

    def post(self, path: str, step: str, *, by: Credential | None = None, data: object = None) -> Exchange:
        """Send a POST, with `data` as its JSON body unless it is None."""
        if data is None:
            return self.send(Request("POST", path, step, by))
        return self.send(Request("POST", path, step, by, {"Content-Type": "application/json"}, json.dumps(data)))

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
        tried: Counter[int | None] = Counter()
        while True:
            who = self._with_its_token(request.by or self.credentials[ADMIN])
            n = self.guard.admit(request.method, request.path, who.role)
            answer = self._exchange(n, request, who, self._prepare(request, who))
            why, pause = self._expired(who, answer) or _passing(answer), _pause(answer)
            if not why or tried[answer.status] >= RETRIES[answer.status] or pause > PATIENCE:
                break
            tried[answer.status] += 1  # each by itself: a gateway may fail just after a rate limit
            self._supersede(answer, why)
            time.sleep(pause)
        recorded = self._record(answer)
        self._watch(answer)
        return recorded

    def at_once(self, *scripts: Iterable[Request]) -> list[Exchange]:
        """Send the requests of several scripts, each script in a thread of its own, and return all exchanges.

        A script is asked for its next request when the one before is answered; it must come to an end. Every exchange
        carries the tag `at_once`, and neither a 429 nor a 503 is waited out: by then the others would be done.

        Raises:
            HeldBack, TargetLost: as `send`, when every script has ended.
        """
        together = Barrier(len(scripts))

        def run(script: Iterable[Request]) -> list[Exchange]:
            together.wait()
            return [self.send(replace(x, tags={**x.tags, AT_ONCE: x.step})) for x in script]

        with ThreadPoolExecutor(len(scripts)) as threads:
            running = [threads.submit(run, script) for script in scripts]
        return list(in_order(x for done in running for x in done.result()))

    def sent(self, experiment: str, step: str) -> list[Exchange]:
        """Return what was recorded so far of a step of an experiment."""
        return [x for x in self._journal.exchanges if (x.experiment, x.step) == (experiment, step)]

    def held_back(self, reason: HeldBack) -> None:
        """Record why the experiment is cut short."""
        self.note("expired" if isinstance(reason, TokenExpired) else "stopped", str(reason))

    def note(self, name: str, value: Any) -> None:  # noqa: ANN401 -- any JSON value
        """Record what the experiment learnt."""
        with self._recording:
            self._journal.note(self.experiment, name, self._redactor.text(value) if isinstance(value, str) else value)

    @property
    def _connection(self) -> Connection:
        """The connection of this thread."""
        if not hasattr(self._own, "connection"):
            self._own.connection = Connection(self.settings.target.url, self.settings.transport)
        connection: Connection = self._own.connection
        return connection

    def _with_its_token(self, who: Credential) -> Credential:
        """Return a credential made of the token that its role has now."""
        if who.of not in self.tokens:
            return who
        token = self.tokens[who.of]
        return who if who.value == f"{SCHEME}{token}" else remade(who, token)

    def _expired(self, who: Credential, answer: Exchange) -> str:
        """Return why it is to be sent again with another token; empty unless the target refused one that had ended."""
        if answer.status != UNAUTHORIZED or who.kind != "valid" or who.of not in self.tokens:
            return ""
        refused = (who.value or "").removeprefix(SCHEME)
        try:
            is_replaced = self.tokens.replaces(who.of, refused, clock.of_header(answer.header("Date")))
        except TokenExpired:
            self._supersede(answer, EXPIRED_TOKEN)
            raise
        if is_replaced and answer.method not in SAFE:
            self._supersede(answer, EXPIRED_TOKEN)
            raise TokenExpired(f"The token of {who.of} expired just before {answer.method} {answer.path}. Run again.")
        return EXPIRED_TOKEN if is_replaced else ""

    def _prepare(self, request: Request, who: Credential) -> requests.PreparedRequest:
        headers = {"Accept": "application/json", "User-Agent": f"purge-conformance/{__version__}", **request.headers}
        if who.value is not None:
            headers["Authorization"] = who.value
        body = request.upload or (request.body or "").encode()
        return self._connection.prepare(request.method, request.path, headers, body)

    def _exchange(self, n: int, request: Request, who: Credential, prepared: requests.PreparedRequest) -> Exchange:
        sent_at, begun = time.time(), time.perf_counter()
        status, headers, body, error = self._receive(prepared)
        elapsed = time.perf_counter() - begun
        clean = self._redactor
        sent = {**prepared.headers, **({"Authorization": who.shown} if who.shown is not None else {})}
        shown = [(str(key), str(value)) for key, value in sent.items()]
        return Exchange(
            n=n,
            experiment=self.experiment,
            step=request.step,
            role=who.role,
            method=request.method,
            path=clean.text(request.path),
            request_headers=tuple(shown) if "Cookie" in request.headers else without_cookies(shown),
            request_body=None if request.body is None else clean.text(request.body),
            sent_at=sent_at,
            elapsed=elapsed,
            status=status,
            response_headers=without_cookies(clean.headers(headers)),
            body=Body(clean.data(body)),
            error=None if error is None else clean.text(error),
            tags=dict(request.tags),
        )

    def _receive(self, prepared: requests.PreparedRequest) -> Answer:
        limit = self.settings.limits
        try:
            with self._connection.send(prepared, limit.timeout) as response:
                body = bytearray()  # bytes would be copied whole with each chunk
                while chunk := response.read1(CHUNK, decode_content=True):
                    body += chunk
                    if len(body) > limit.body_bytes:
                        return None, [], b"", f"the answer is larger than {limit.body_bytes} bytes"
                return response.status, list(response.headers.items()), bytes(body), None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            return None, [], b"", _why(error)

    def _record(self, answer: Exchange) -> Exchange:
        with self._recording:
            exchange = self._journal.exchange(answer)
            if self._journal.trouble:
                self.guard.close(self._journal.trouble)
            self._on_send(self, exchange)
        return exchange

    def _supersede(self, answer: Exchange, why: str) -> None:
        self._record(replace(answer, tags={**answer.tags, SUPERSEDED: why}))

    def _watch(self, exchange: Exchange) -> None:
        with self._recording:
            lost = self._lost = self._lost + 1 if exchange.status is None else 0
        if lost >= LOST_AFTER:
            raise TargetLost(
                f"{self.settings.target.url} gave no answer to {LOST_AFTER} requests in a row ({exchange.error}). "
                "Check the URL, the network and the target, then run again."
            )


def _passing(answer: Exchange) -> str:
    """Return what came in between, if the request is to be sent again; empty where the answer counts."""
    if answer.status is None and not BROKEN.match(answer.error or ""):
        return ""
    if answer.status in {*WAITED_OUT, FAILED} and AT_ONCE in answer.tags:
        return ""
    if answer.tags.get(PROVOKED) == str(answer.status):
        return ""
    return (WAITED_OUT | READ_AGAIN if answer.method in SAFE else WAITED_OUT).get(answer.status, "")


def _pause(answer: Exchange) -> float:
    """Return for how many seconds the target wants to be left alone; more than `PATIENCE` where nobody can tell."""
    text = answer.header("Retry-After") or ("1" if answer.status == RATE_LIMITED else "0")
    if re.fullmatch("[0-9]{1,9}", text):
        return float(text)
    until, now = (clock.of_header(value) for value in (text, answer.header("Date")))
    if until is None:
        return PATIENCE + 1
    return max(0.0, until - (answer.sent_at if now is None else now))


def _why(error: BaseException) -> str:
    """Return what lies at the bottom of a failure, without the layers that wrapped it."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error) if isinstance(error, NotWhole) else f"{type(error).__name__}: {error}"
