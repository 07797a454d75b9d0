"""TLS of a temporary certificate authority."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import trustme

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from meta.support.stub import StubServer

    Serving = Callable[..., AbstractContextManager[StubServer]]


@dataclass(frozen=True)
class Authority:
    """A temporary certificate authority, and the certificates that it signed.

    Attributes:
        ca: the authority.
        bundle: file of its certificate.
        client: file of a client's certificate and key.
        cert: file of that certificate alone.
        key: file of that key alone.
    """

    ca: trustme.CA
    bundle: str
    client: str
    cert: str
    key: str


def make_authority(folder: Path) -> Authority:
    """Return an authority whose files are in a new folder."""
    folder.mkdir()
    ca, names = trustme.CA(), ("ca", "client", "cert", "key")
    files = {name: folder / f"{name}.pem" for name in names}
    client = ca.issue_cert("suite@example.org")
    files["ca"].write_bytes(ca.cert_pem.bytes())
    files["client"].write_bytes(client.private_key_and_cert_chain_pem.bytes())
    files["cert"].write_bytes(client.cert_chain_pems[0].bytes())
    files["key"].write_bytes(client.private_key_pem.bytes())
    return Authority(ca, *(str(files[name]) for name in names))


@pytest.fixture(scope="module")
def trusted_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority that signed the stub's certificate, and that the stub asks of a client."""
    return make_authority(tmp_path_factory.mktemp("ours") / "files")


def tls_context(trusted_authority: Authority, *names: str, demands: bool = False) -> ssl.SSLContext:
    """Return the TLS context of a server with these names, which may demand a client certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trusted_authority.ca.issue_cert(*names).configure_cert(made)
    if demands:
        trusted_authority.ca.configure_trust(made)
        made.verify_mode = ssl.CERT_REQUIRED
        made.maximum_version = (
            ssl.TLSVersion.TLSv1_2
        )  # 1.3 refuses after the request, and may be cut off before it says so
    return made


def respond_with_page(handler: Any) -> None:  # noqa: ANN401 -- a handler
    """Respond to every request with a page, as an API does."""
    links = b'"links": {"app_usage_events": {}}'
    type(handler).server_version = "stub"
    body = b'{%s, "pagination": {"total_results": 0}, "resources": []}' % links
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
