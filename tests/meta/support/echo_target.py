"""A target in front of the reference server that repeats secrets in every encoding and at every place of an answer."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from meta.support.encoders import ENCODERS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http.server import BaseHTTPRequestHandler

HOP_HEADERS = {"connection", "content-length", "transfer-encoding", "keep-alive"}
COOKIE = "canary-cookie/0123456789+abc"
GRANTS = {"password": "global_auditor", "client_credentials": "space_developer", "refresh_token": "org_manager"}


@dataclass
class EchoTarget:
    """Forwards to a reference server, logs users in, and repeats secrets in what it answers.

    Attributes:
        reference: URL of the reference server.
        tokens: role -> a token that it accepts.
        secrets: what to repeat, in one encoding in each answer.
        quiet: how many answers stay as they are.
        refresh_token: comes with each token.
    """

    reference: str
    tokens: Mapping[str, str]
    secrets: list[str]
    quiet: int
    refresh_token: str
    answered: int = 0

    def answer(self, handler: BaseHTTPRequestHandler, body: bytes, url: str) -> None:
        """Answer one request, whose body was read; `url` is the address of this target."""
        if handler.path == "/oauth/token":
            grant = dict(parse_qsl(body.decode()))["grant_type"]
            issued = {"access_token": self.tokens[GRANTS[grant]], "refresh_token": self.refresh_token}
            _send(handler, 200, [], json.dumps({**issued, "token_type": "bearer", "expires_in": 600}).encode())
            return
        status, headers, data = self._forward(handler, body)
        if handler.path == "/":
            links = json.loads(data)["links"] | {"login": {"href": url}, "uaa": {"href": url}}
            data = json.dumps({"links": links}).encode()
        self.answered += 1
        if self.answered <= self.quiet:
            _send(handler, status, headers, data)
            return
        encode = list(ENCODERS.values())[self.answered % len(ENCODERS)]
        coded = [encode(secret.encode()) for secret in (*self.secrets, COOKIE)]
        lines = ["".join(filter(str.isprintable, each.decode("latin-1"))) for each in coded]
        shown = lines[self.answered % len(lines)]
        headers += [("X-Echo", line) for line in lines]
        headers += [(f"X-{shown}".replace(":", "").replace(" ", ""), "name"), ("Location", f"/?{shown}")]
        headers += [("Set-Cookie", f"session={COOKIE}; Path=/"), ("Set-Cookie", f"other={shown}")]
        _send(handler, status, headers, _repeat(handler.path, status, data, coded, self.answered), reason=shown)

    def _forward(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(urlsplit(self.reference).netloc, timeout=30)
        sent = {name: value for name, value in handler.headers.items() if name.lower() not in HOP_HEADERS}
        connection.request(handler.command, handler.path, body or None, sent)
        response = connection.getresponse()
        data = response.read()
        connection.close()
        headers = [(name, value) for name, value in response.getheaders() if name.lower() not in HOP_HEADERS]
        return response.status, headers, data


def _repeat(path: str, status: int, data: bytes, coded: list[bytes], number: int) -> bytes:
    """Return a body that has encoded secrets: HTML, text, an error, a root document or a list."""
    texts = [each.decode("latin-1") for each in coded]
    text = texts[number % len(texts)]
    if status >= 400:
        page = b"".join(b"<p title='" + each + b"'>" + each + b"</p>" for each in coded)
        error = {"code": 1, "title": text, "detail": f"no access: {text}.", "test_mode_info": texts, text: text}
        return (page, b"\n".join(coded), json.dumps({"errors": [error]}).encode())[number % 3]
    document: Any = json.loads(data) if data else None
    if path == "/" and document:
        document["links"]["echo"] = {"href": text}
    elif isinstance(document, dict) and number % 2:
        document["echo"] = {text: texts, "nested": json.dumps({"a": text})}
    for row in document.get("resources", []) if isinstance(document, dict) else ():
        row["echo"] = text
    return json.dumps(document).encode() if data else data


def _send(
    handler: BaseHTTPRequestHandler, status: int, headers: list[tuple[str, str]], data: bytes, reason: str | None = None
) -> None:
    handler.send_response(status, reason)
    for name, value in headers:
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(b"" if handler.command == "HEAD" else data)
