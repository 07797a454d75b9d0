"""Sends, times, redacts and records; judges nothing."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field, replace
from threading import Thread
from typing import TYPE_CHECKING, Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from purge_conformance import __version__
from purge_conformance.credentials import ADMIN, Credential, Redactor, of_role
from purge_conformance.errors import TargetLost
from purge_conformance.evidence import SUPERSEDED, Exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from purge_conformance.guard import Guard
    from purge_conformance.journal import Journal
    from purge_conformance.settings import Settings

Answer = tuple[int | None, list[tuple[str, str]], bytes, str | None]  # status, headers, body, why there is none
UNAVAILABLE = 503
CHUNK = 64 * 1024
LOST_AFTER = 3  # requests in a row without an answer
WAITED_OUT = {429: "rate limit", 503: "unavailable"}
PATIENCE = 10.0  # the most seconds that a Retry-After is obeyed
RETRIES = 2


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
    """

    method: str
    path: str
    step: str
    by: Credential | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


class Client:
    """The one client of a run.

    Attributes:
        experiment: the procedure that is under way; every exchange carries its name.
        credentials: role -> credential, for each token that was given.
    """

    def __init__(
        self, settings: Settings, journal: Journal, guard: Guard, on_send: Callable[[Client, Exchange], None]
    ) -> None:
        """Hold one connection to the target; `on_send` is called after every exchange, for progress."""
        self.experiment = ""
        self.guard = guard
        self.settings = settings
        self.credentials = {role: of_role(role, token) for role, token in settings.tokens.items()}
        self._journal = journal
        self._on_send = on_send
        self._redactor = Redactor(settings.tokens)
        self._lost = 0
        self._session = _connected(settings)

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

        A 429 or a 503 is waited out, `Retry-After` at most `PATIENCE` seconds; those answers are recorded
        with the tag `superseded`.

        Raises:
            HeldBack: the guard did not let it pass; nothing was sent.
            TargetLost: the target gave no answer, and neither did it to the requests before.
        """
        who = request.by or self.credentials[ADMIN]
        prepared = self._prepare(request, who)
        for attempt in range(RETRIES + 1):
            self.guard.admit(request.method, request.path, who.role)
            answer = self._exchange(request, who, prepared)
            pause = _pause(answer)
            if answer.status not in WAITED_OUT or attempt == RETRIES or pause > PATIENCE:
                break
            self._record(replace(answer, tags={**answer.tags, SUPERSEDED: WAITED_OUT[answer.status]}))
            time.sleep(pause)
        self._record(answer)
        self._watch(answer)
        return answer

    def sent(self, experiment: str, step: str) -> list[Exchange]:
        """Return what was recorded so far of a step of an experiment."""
        return [x for x in self._journal.exchanges if (x.experiment, x.step) == (experiment, step)]

    def note(self, name: str, value: Any) -> None:  # noqa: ANN401 -- any JSON value
        """Record what the experiment learnt."""
        self._journal.note(self.experiment, name, self._redactor.text(value) if isinstance(value, str) else value)

    def _prepare(self, request: Request, who: Credential) -> requests.PreparedRequest:
        headers = {"Accept": "application/json", "User-Agent": f"purge-conformance/{__version__}", **request.headers}
        if who.value is not None:
            headers["Authorization"] = who.value
        data = None if request.body is None else request.body.encode()
        base = self.settings.target.url
        prepared = self._session.prepare_request(requests.Request(request.method, base, headers, data=data))
        prepared.url = base + request.path  # as it is: a client that mends a path cannot try a bad one
        return prepared

    def _exchange(self, request: Request, who: Credential, prepared: requests.PreparedRequest) -> Exchange:
        sent_at, begun = time.time(), time.perf_counter()
        status, headers, body, error = self._receive(prepared)
        elapsed = time.perf_counter() - begun
        clean = self._redactor
        sent = {**prepared.headers, **({"Authorization": who.shown} if who.shown is not None else {})}
        return Exchange(
            n=self.guard.requests,
            experiment=self.experiment,
            step=request.step,
            role=who.role,
            method=request.method,
            path=clean.text(request.path),
            request_headers=tuple((str(key), str(value)) for key, value in sent.items()),
            request_body=None if request.body is None else clean.text(request.body),
            sent_at=sent_at,
            elapsed=elapsed,
            status=status,
            response_headers=tuple((key, clean.text(value)) for key, value in headers),
            body=clean.data(body),
            error=None if error is None else clean.text(error),
            tags=dict(request.tags),
        )

    def _receive(self, prepared: requests.PreparedRequest) -> Answer:
        """Read an answer in a thread that is left behind when the answer drips in for too long."""
        patience = 2 * self.settings.limits.timeout
        answers: list[Answer] = []
        session = self._session
        thread = Thread(target=lambda: answers.append(self._read(session, prepared)), daemon=True)
        thread.start()
        thread.join(patience)
        if answers:
            return answers[0]
        self._session = _connected(self.settings)
        return None, [], b"", f"the answer was not whole after {patience:g} s"

    def _read(self, session: requests.Session, prepared: requests.PreparedRequest) -> Answer:
        limit = self.settings.limits
        try:
            with session.send(prepared, timeout=limit.timeout, stream=True, allow_redirects=False) as response:
                body = b""
                while chunk := response.raw.read1(CHUNK, decode_content=True):
                    body += chunk
                    if len(body) > limit.body_bytes:
                        return None, [], b"", f"the answer is larger than {limit.body_bytes} bytes"
                return response.status_code, list(response.raw.headers.items()), body, None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            return None, [], b"", _why(error)

    def _record(self, exchange: Exchange) -> None:
        self._journal.exchange(exchange)
        self._on_send(self, exchange)

    def _watch(self, exchange: Exchange) -> None:
        self._lost = self._lost + 1 if exchange.status is None else 0
        if self._lost >= LOST_AFTER:
            raise TargetLost(
                f"{self.settings.target.url} gave no answer to {LOST_AFTER} requests in a row ({exchange.error}). "
                "Check the URL, the network and the target, then run again."
            )


def _connected(settings: Settings) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a .netrc would replace the token that is being tried
    session.verify = settings.ca_bundle or True
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=0))  # a purge is never sent twice behind our back
    return session


def _pause(exchange: Exchange) -> float:
    text = exchange.header("Retry-After") or ("1" if exchange.status != UNAVAILABLE else "0")
    return float(text) if re.fullmatch("[0-9]{1,9}", text) else PATIENCE + 1


def _why(error: BaseException) -> str:
    """Return what lies at the bottom of a failure, without the layers that wrapped it."""
    while error.__context__ is not None:
        error = error.__context__
    return f"{type(error).__name__}: {error}"
