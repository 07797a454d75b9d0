"""A server like UAA, whose tokens the reference server takes; and the reference server beside it."""

from __future__ import annotations

import asyncio
import base64
import json
import math
import os
import secrets
import socket
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import jwt
import pytest
import uvicorn

from purge_conformance.client.auth.secret_source import SecretSource
from purge_conformance.client.auth.token_request import token_requester
from purge_conformance.client.auth.uaa import Uaa
from purge_conformance.config.settings import parse_target
from purge_conformance.config.transport import Transport
from purge_conformance.reference import create_app, open_database
from purge_conformance.reference.api.auth import ROLE_SCOPES
from purge_conformance.reference.behaviour import Behaviour
from purge_conformance.reference.mutation import combine, wrap_operations
from purge_conformance.reference.wire import WireProtocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from purge_conformance.client.auth.uaa import Ask
    from purge_conformance.reference.behaviour import Call, Handler, Reply
    from purge_conformance.reference.mutation import Change

SECRET = "a secret of sixty-four bytes, which is as long as the longest digest"  # noqa: S105 - nothing is behind it
THINKING = 0.004  # seconds
PASSWORD, CLIENT_SECRET = "correct horse battery staple", "client-secret:with+odd&signs"


def signed(role: str, lifetime: float, now: float | None = None) -> str:
    """Return a token of a role as UAA makes it, which the reference server takes."""
    issued = time.time() if now is None else now
    claims = {
        "jti": secrets.token_hex(16),
        "scope": list(ROLE_SCOPES[role]),
        "client_id": "cf",
        "cid": "cf",
        "user_name": role,
        "origin": "uaa",
        "iat": math.floor(issued),
        "exp": math.ceil(issued + lifetime),
        "aud": ["cf", "cloud_controller"],
    }
    return jwt.encode(claims, SECRET, algorithm="HS256")


@dataclass
class Issuer:
    """A server that gives tokens as UAA does: to users, to clients, and for refresh tokens.

    Attributes:
        url: where it is.
        life: seconds that its tokens live.
        rotates: whether a refresh token is good once.
        users: name -> password; a user's name is that of its role.
        origin: identity provider that knows its users.
        clients: id -> secret; `cf` is everybody's, any other has the role of its name.
        refresh_tokens: those that are good -> role.
        asked: each grant that was asked for, in order.
        secrets: every token that it gave.
        down: whether it answers 503 to everything.
    """

    url: str
    life: float = 600.0
    rotates: bool = False
    users: dict[str, str] = field(default_factory=lambda: {"admin": PASSWORD})
    origin: str = "uaa"
    clients: dict[str, str] = field(default_factory=lambda: {"cf": "", "global_auditor": CLIENT_SECRET})
    refresh_tokens: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    down: bool = False

    def refresh_token(self, role: str) -> str:
        """Return a refresh token that is good."""
        made = f"{secrets.token_hex(16)}-r"
        self.refresh_tokens[made] = role
        self.secrets.append(made)
        return made

    def answer(self, authorization: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Return status and body for a request of a token."""
        scheme, _, coded = authorization.partition(" ")
        client, _, secret = base64.b64decode(coded).decode().partition(":")
        grant = form.get("grant_type", "")
        self.asked.append(grant)
        if self.down:
            return 503, {"error": "unavailable"}
        if scheme != "Basic" or self.clients.get(client) != secret:
            return 401, {"error": "unauthorized", "error_description": f"Bad credentials: {secret}"}
        if grant == "client_credentials" and client != "cf":
            return 200, self._given(client)
        origin = json.loads(form.get("login_hint", "{}")).get("origin", "uaa")
        if grant == "password" and self.users.get(form["username"]) == form["password"] and origin == self.origin:
            return 200, self._given(form["username"], self.refresh_token(form["username"]))
        if grant == "refresh_token" and form["refresh_token"] in self.refresh_tokens:
            held = form["refresh_token"]
            role = self.refresh_tokens.pop(held) if self.rotates else self.refresh_tokens[held]
            return 200, self._given(role, self.refresh_token(role) if self.rotates else held)
        told = form.get("password") or form.get("refresh_token")
        return 401, {"error": "unauthorized", "error_description": f"Bad credentials: {told}"}

    def _given(self, role: str, refresh_token: str | None = None) -> dict[str, Any]:
        made = signed(role, self.life)
        self.secrets.append(made)
        found = {"access_token": made, "token_type": "bearer", "expires_in": int(self.life), "jti": "x", "scope": "a b"}
        return found | ({"refresh_token": refresh_token} if refresh_token else {})


@contextmanager
def issuing() -> Iterator[Issuer]:
    """Serve an issuer on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = dict(
                parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode(), keep_blank_values=True)
            )
            path_is_right = self.path == "/oauth/token"
            status, body = made.answer(self.headers["Authorization"], form) if path_is_right else (404, {})
            self.send_response(status)
            self.send_header("Content-Type", "application/json;charset=UTF-8")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made = Issuer(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield made
        finally:
            server.shutdown()


@contextmanager
def foundation(login: str) -> Iterator[str]:
    """Serve the reference server with a root document that names a login; yield its URL.

    It thinks for some milliseconds, so that a run is longer than three seconds on any machine.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as the server's own does
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with open_database("sqlite://") as sessions:
        app = create_app(sessions, secret=SECRET, base_url=url, behaviour=_with_login(login)(Behaviour()))
        config = uvicorn.Config(app, log_level="warning", lifespan="off", ws="none", loop="asyncio", http=WireProtocol)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield url
        finally:
            server.should_exit = True
            thread.join(10)


def _with_login(login: str) -> Change:
    """Return what names a login in the root document, and thinks before each answer."""

    @wrap_operations("get_root")
    def named(call: Call, answer: Handler) -> Reply:
        reply = answer(call)
        links = {**reply.body["links"], "login": {"href": login}, "uaa": {"href": login}}
        return replace(reply, body={"links": links})

    def thinking(behaviour: Behaviour) -> Behaviour:
        async def pace(_operation: str, answer: Callable[[], Reply], _sessions: object) -> Reply:
            await asyncio.sleep(THINKING)
            return answer()

        return replace(behaviour, schedule=pace)

    return combine(named, thinking)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """A server that gives tokens."""
    with issuing() as made:
        yield made


# As the cf CLI does: it renews its login, keeps what came with the token, and prints that.
CF_PROGRAM = """#!{python}
import base64, json, os, pathlib, sys, urllib.parse, urllib.request
assert sys.argv[1:] == ["oauth-token"], sys.argv
path = pathlib.Path(os.environ["CF_HOME"], ".cf", "config.json")
held = json.loads(path.read_text())
client = held["UAAOAuthClient"] + ":" + held["UAAOAuthClientSecret"]
form = {{"grant_type": "refresh_token", "refresh_token": held["RefreshToken"]}}
if not held["RefreshToken"]:
    form = {{"grant_type": "client_credentials"}}
headers = {{"Authorization": "Basic " + base64.b64encode(client.encode()).decode()}}
asked = urllib.request.Request(
    held["UaaEndpoint"] + "/oauth/token", urllib.parse.urlencode(form).encode(), headers
)
found = json.load(urllib.request.urlopen(asked))
held["AccessToken"] = "bearer " + found["access_token"]
held["RefreshToken"] = found.get("refresh_token", "")
path.write_text(json.dumps(held, indent=2))
print(held["AccessToken"])
"""


def with_cf(folder: Path) -> str:
    """Put a program `cf` into a folder, and return a PATH that begins with it."""
    program = folder / "bin" / "cf"
    program.parent.mkdir(exist_ok=True)
    program.write_text(CF_PROGRAM.format(python=sys.executable), encoding="utf-8")
    program.chmod(0o755)
    return f"{program.parent}{os.pathsep}{os.environ['PATH']}"


def through(url: str, ask: Ask) -> Ask:
    """Return what answers as a target whose root document names that login, and asks the login the rest."""
    root = json.dumps({"links": {"uaa": {"href": url}}}).encode()
    return lambda method, *rest: (200, root) if method == "GET" else ask(method, *rest)


def known(secret: str) -> SecretSource:
    """Return a place where that secret stands."""
    return SecretSource("secret", "env", "SECRET", {"SECRET": secret})


@pytest.fixture
def uaa(issuer: Issuer) -> Uaa:
    """The way to that server, where a target names it."""
    return Uaa(parse_target("http://127.0.0.1:1"), through(issuer.url, token_requester(Transport(), 5.0)))
