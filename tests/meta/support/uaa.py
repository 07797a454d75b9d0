"""A stub of UAA, whose tokens the reference server accepts."""

from __future__ import annotations

import base64
import json
import math
import secrets
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import jwt

from purge_conformance.client.auth.secret_source import SecretSource
from purge_conformance.reference.api.auth import ROLE_SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.client.auth.uaa import Ask


SECRET = "a secret of sixty-four bytes, which is as long as the longest digest"  # noqa: S105 - nothing is behind it
PASSWORD, CLIENT_SECRET = "correct horse battery staple", "client-secret:with+special&signs"


def signed(role: str, lifetime: float, now: float | None = None) -> str:
    """Return a token of a role as UAA signs it, which the reference server accepts."""
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
class UaaStub:
    """A server that issues tokens as UAA does: to users, to clients, and for refresh tokens.

    Attributes:
        url: its address.
        life: seconds that its tokens live.
        rotates: whether a refresh token is valid once.
        users: name -> password; a user's name is that of its role.
        origin: the identity provider of its users.
        clients: id -> secret; `cf` is public, any other has the role of its name.
        refresh_tokens: valid refresh token -> role.
        grants: the kind of grant of each request, in order.
        secrets: every token that it issued.
        down: whether it responds with 503 to every request.
    """

    url: str
    life: float = 600.0
    rotates: bool = False
    users: dict[str, str] = field(default_factory=lambda: {"admin": PASSWORD})
    origin: str = "uaa"
    clients: dict[str, str] = field(default_factory=lambda: {"cf": "", "global_auditor": CLIENT_SECRET})
    refresh_tokens: dict[str, str] = field(default_factory=dict)
    grants: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    down: bool = False

    def refresh_token(self, role: str) -> str:
        """Return a valid refresh token."""
        made = f"{secrets.token_hex(16)}-r"
        self.refresh_tokens[made] = role
        self.secrets.append(made)
        return made

    def answer(self, authorization: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Return status and body of the response to a token request."""
        scheme, _, coded = authorization.partition(" ")
        client, _, secret = base64.b64decode(coded).decode().partition(":")
        grant = form.get("grant_type", "")
        self.grants.append(grant)
        if self.down:
            return 503, {"error": "unavailable"}
        if scheme != "Basic" or self.clients.get(client) != secret:
            return 401, {"error": "unauthorized", "error_description": f"Bad credentials: {secret}"}
        if grant == "client_credentials" and client != "cf":
            return 200, self._token_response(client)
        origin = json.loads(form.get("login_hint", "{}")).get("origin", "uaa")
        if grant == "password" and self.users.get(form["username"]) == form["password"] and origin == self.origin:
            return 200, self._token_response(form["username"], self.refresh_token(form["username"]))
        if grant == "refresh_token" and form["refresh_token"] in self.refresh_tokens:
            presented = form["refresh_token"]
            role = self.refresh_tokens.pop(presented) if self.rotates else self.refresh_tokens[presented]
            return 200, self._token_response(role, self.refresh_token(role) if self.rotates else presented)
        rejected = form.get("password") or form.get("refresh_token")
        return 401, {"error": "unauthorized", "error_description": f"Bad credentials: {rejected}"}

    def _token_response(self, role: str, refresh_token: str | None = None) -> dict[str, Any]:
        token = signed(role, self.life)
        self.secrets.append(token)
        found = {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": int(self.life),
            "jti": "x",
            "scope": "a b",
        }
        return found | ({"refresh_token": refresh_token} if refresh_token else {})


@contextmanager
def serve_uaa() -> Iterator[UaaStub]:
    """Serve a UAA stub on a free port."""

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
        made = UaaStub(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield made
        finally:
            server.shutdown()


def via_root_document(url: str, ask: Ask) -> Ask:
    """Return an Ask whose target names that login in its root document; other requests go to the login."""
    root = json.dumps({"links": {"uaa": {"href": url}}}).encode()
    return lambda method, *rest: (200, root) if method == "GET" else ask(method, *rest)


def fixed_secret(secret: str) -> SecretSource:
    """Return the source of that secret."""
    return SecretSource("secret of admin", "env", "SECRET", {"SECRET": secret})
