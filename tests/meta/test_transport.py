"""The way to a target, by servers: TLS of a throw-away authority, client certificates, proxies, IPv6, a path."""

from __future__ import annotations

import os
import re
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from click.testing import CliRunner

from purge_conformance.cli import main
from purge_conformance.examining import examined
from purge_conformance.guard import EVENTS
from purge_conformance.settings import Limits, Settings, Target
from purge_conformance.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from conftest import Done, Stub

    Serving = Callable[..., AbstractContextManager[Stub]]

    from purge_conformance.doctor import Check

PASSWORD = "pass word/of-the-proxy"  # noqa: S105 -- nobody's
QUOTED = "pass%20word%2Fof-the-proxy"
ENCODED = "dXNlcjpwYXNzIHdvcmQvb2YtdGhlLXByb3h5"
SECRET = {"ADMIN_SECRET": "an-opaque-secret"}
ADMIN = "--token=admin=env:ADMIN_SECRET"


@dataclass(frozen=True)
class Authority:
    """A throw-away authority, and what it signed.

    Attributes:
        ca: it.
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


def authority(folder: Path) -> Authority:
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
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority that signed the stub's certificate, and that the stub asks of a client."""
    return authority(tmp_path_factory.mktemp("ours") / "files")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another authority, which nobody trusts."""
    return authority(tmp_path_factory.mktemp("theirs") / "files")


def context(ours: Authority, *names: str, demands: bool = False) -> ssl.SSLContext:
    """Return how a server of these names speaks TLS, and whether it demands a client's certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.ca.issue_cert(*names).configure_cert(made)
    if demands:
        ours.ca.configure_trust(made)
        made.verify_mode = ssl.CERT_REQUIRED
        made.maximum_version = (
            ssl.TLSVersion.TLSv1_2
        )  # 1.3 refuses after the request, and may be cut off before it says so
    return made


@pytest.fixture
def secure(ours: Authority, serving: Serving) -> Iterator[Stub]:
    """A stub that speaks TLS with a certificate of 127.0.0.1 and localhost."""
    with serving(tls=context(ours, "127.0.0.1", "localhost")) as made:
        made.answer = a_page
        yield made


@pytest.fixture
def demanding(ours: Authority, serving: Serving) -> Iterator[Stub]:
    """A stub that speaks TLS, and only with whom it knows."""
    with serving(tls=context(ours, "127.0.0.1", demands=True)) as made:
        made.answer = a_page
        yield made


def a_page(handler: Any) -> None:  # noqa: ANN401 -- a handler
    """Answer as an API does, whatever is asked for."""
    links = b'"links": {"app_usage_events": {}}'
    type(handler).server_version = "stub"
    body = b'{%s, "pagination": {"total_results": 0}, "resources": []}' % links
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def found(url: str, **way: Any) -> dict[str, Check]:  # noqa: ANN401 -- the parts of a transport
    """Return what the doctor finds on that way, by name."""
    settings = Settings(
        Target(url), {"admin": "an-opaque-secret"}, transport=Transport(**way), limits=Limits(timeout=9)
    )
    return {check.name: check for check in examined(settings)}


def statuses(checks: dict[str, Check]) -> set[str]:
    """Return how well all is."""
    return {str(check.status) for check in checks.values()}


def problem(checks: dict[str, Check]) -> tuple[str, str]:
    """Return the cure of a target that could not be reached, and the blame."""
    check = checks["reachable"]
    assert (str(check.status), check.is_fatal) == ("problem", True)
    return check.cure, check.blame


def test_private_authority_is_trusted(secure: Stub, ours: Authority) -> None:
    """A target whose certificate a private authority signed is reached where that is trusted."""
    assert statuses(found(secure.url, ca_bundle=ours.bundle)) == {"ok"}


def test_unknown_authority_is_configuration(secure: Stub, theirs: Authority) -> None:
    """Where it is not trusted, the target is not reached; the configuration is blamed, and the cure is named."""
    for way in ({}, {"ca_bundle": theirs.bundle}):
        cure, blame = problem(found(secure.url, **way))
        assert ("--ca-bundle FILE" in cure, blame) == (True, "configuration")
    assert secure.got == []


def test_other_name_is_configuration(ours: Authority, serving: Serving) -> None:
    """A certificate of another host is told from one of an unknown authority."""
    with serving(tls=context(ours, "other.example.org")) as stub:
        cure, blame = problem(found(stub.url, ca_bundle=ours.bundle))
    assert ("name that the certificate has" in cure, blame) == (True, "configuration")


def test_plain_server_is_configuration(stub: Stub) -> None:
    """A target without TLS that is asked with it is told so."""
    cure, blame = problem(found(stub.url.replace("http:", "https:")))
    assert ("http://" in cure, blame) == (True, "configuration")


def test_insecure_is_named(secure: Stub) -> None:
    """With --insecure any certificate will do, and it is said."""
    checks = found(secure.url, insecure=True)
    assert {name for name, check in checks.items() if str(check.status) != "ok"} == {"TLS"}
    assert "not verified" in checks["TLS"].got


def test_insecure_is_in_every_report(secure: Stub, command: Callable[..., Done], tmp_path: Path) -> None:
    """A run with --insecure says so on the terminal, and in each of its reports."""
    asked = ("run", secure.url, ADMIN, "--insecure", "--select=ROUTE-01", "--max-requests=50", "--max-purges=0")
    done = command(*asked, "--out", tmp_path, folder=tmp_path, env=os.environ | SECRET)
    texts = {name: (tmp_path / name).read_text("utf-8") for name in ("report.json", "report.html", "summary.md")}
    for name, text in {"terminal": done.stdout, **texts}.items():
        assert re.search("certificates are not verified", text), name


def test_client_certificate_lets_in(demanding: Stub, ours: Authority) -> None:
    """Where the target demands a certificate, the client shows its own, from one file or from two."""
    for own in ({"client_cert": ours.client}, {"client_cert": ours.cert, "client_key": ours.key}):
        assert statuses(found(demanding.url, ca_bundle=ours.bundle, **own)) == {"ok"}


def test_demanded_certificate_is_configuration(demanding: Stub, ours: Authority, theirs: Authority) -> None:
    """Without one, or with one that the target does not know, the configuration is blamed, and the cure is named."""
    for own in ({}, {"client_cert": theirs.client}):
        cure, blame = problem(found(demanding.url, ca_bundle=ours.bundle, **own))
        assert ("--client-cert FILE" in cure, blame) == (True, "configuration")


@pytest.mark.parametrize("name", ["ca_bundle", "client_cert"])
def test_strange_file_is_configuration(name: str, secure: Stub, ours: Authority, tmp_path: Path) -> None:
    """A file that holds no certificate is told, with the flag that named it."""
    (tmp_path / "strange").write_text("no certificate", encoding="utf-8")
    way = {"ca_bundle": ours.bundle, name: str(tmp_path / "strange")}
    cure, blame = problem(found(secure.url, **way))
    assert (f"--{name.replace('_', '-')}" in cure, blame) == (True, "configuration"), cure


@pytest.mark.parametrize("flag", ["--client-key={key}", "--ca-bundle=/no/such/file", "--proxy=ftp://proxy"])
def test_misuse_is_2(flag: str, ours: Authority, stub: Stub) -> None:
    """A key without its certificate, a file that is not there, or no proxy is misuse, and nothing is sent."""
    done = CliRunner().invoke(main, ["doctor", stub.url, ADMIN, flag.format(key=ours.key)], env=SECRET)
    assert (done.exit_code, stub.got) == (2, []), done.output


@dataclass
class Proxy:
    """A forwarding proxy: it lets through whoever has the password, or everybody where there is none.

    Attributes:
        port: where it is.
        password: user and password, encoded, or empty.
        got: request lines, as they came.
    """

    port: int
    password: str = ""
    got: list[str] = field(default_factory=list)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A forwarding proxy on a free loopback port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        made = Proxy(listening.getsockname()[1])
        Thread(target=_accept, args=(listening, made), daemon=True).start()
        yield made


def _accept(listening: socket.socket, proxy: Proxy) -> None:
    while True:
        try:
            client, _ = listening.accept()
        except OSError:
            return
        Thread(target=_forward, args=(client, proxy), daemon=True).start()


def _forward(client: socket.socket, proxy: Proxy) -> None:
    """Forward one connection: by CONNECT as it is, else each request with its path alone."""
    with client, client.makefile("rb") as reader:
        head = _head(reader)
        method, place, _ = head[0].split(b" ", 2) if head else (b"", b"", b"")
        proxy.got.append(head[0].decode().strip() if head else "")
        authorized = not proxy.password or any(line.strip().endswith(proxy.password.encode()) for line in head[1:])
        if not authorized:
            client.sendall(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        host, port = (place if method == b"CONNECT" else place.split(b"/", 3)[2]).decode().rsplit(":", 1)
        with socket.create_connection((host, int(port))) as target:
            if method == b"CONNECT":
                client.sendall(b"HTTP/1.1 200 Go on\r\n\r\n")
            else:
                path = b"/" + place.split(b"/", 3)[3]
                lines = [line for line in head[1:] if not line.lower().startswith((b"connection:", b"proxy-"))]
                target.sendall(b" ".join([method, path, b"HTTP/1.1\r\n"]) + b"Connection: close\r\n" + b"".join(lines))
            back = Thread(target=_pump, args=(target, client), daemon=True)
            back.start()
            if method == b"CONNECT":
                _pump(client, target)
            back.join(30)


def _head(reader: Any) -> list[bytes]:  # noqa: ANN401 -- a file
    lines: list[bytes] = []
    for line in iter(reader.readline, b""):
        lines.append(line)
        if line in {b"\r\n", b"\n"}:
            break
    return lines


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


def test_plain_requests_pass_a_proxy(stub: Stub, proxy: Proxy) -> None:
    """A request without TLS is sent to the proxy with the whole URL, its path as it was written."""
    stub.answer = a_page
    assert statuses(found(f"{stub.url}/a/../b//c%7E", proxy=f"http://127.0.0.1:{proxy.port}")) == {"ok"}
    assert f"GET {stub.url}/a/../b//c%7E{EVENTS}?per_page=1 HTTP/1.1" in proxy.got
    assert f"/a/../b//c%7E{EVENTS}?per_page=1" in stub.targets


def test_tls_passes_a_proxy(secure: Stub, ours: Authority, proxy: Proxy) -> None:
    """A request with TLS passes through a tunnel, so that the proxy sees no token, and the target is verified."""
    way = {"ca_bundle": ours.bundle, "proxy": f"http://127.0.0.1:{proxy.port}"}
    assert statuses(found(secure.url, **way)) == {"ok"}
    assert {line.split()[0] for line in proxy.got} == {"CONNECT"}
    cure, _ = problem(found(secure.url, proxy=way["proxy"]))
    assert "--ca-bundle" in cure


@pytest.mark.parametrize("tls", [False, True])
def test_proxy_has_its_password(stub: Stub, secure: Stub, ours: Authority, proxy: Proxy, *, tls: bool) -> None:
    """A proxy gets the user and the password that its URL has; without it, or with another, it lets nothing through."""
    stub.answer, proxy.password = a_page, ENCODED
    url = secure.url if tls else stub.url
    for login, well in ((f"user:{QUOTED}@", True), ("user:another-one@", False), ("", False)):
        checks = found(url, ca_bundle=ours.bundle, proxy=f"http://{login}127.0.0.1:{proxy.port}")
        assert (statuses(checks) == {"ok"}) is well, checks
        if not well:
            assert "--proxy" in " ".join(check.cure for check in checks.values())
    assert ENCODED not in str(stub.got + secure.got)


def test_password_is_never_seen(stub: Stub, proxy: Proxy, command: Callable[..., Done], tmp_path: Path) -> None:
    """Neither what a run writes nor what it prints holds a proxy's password, even where the target sends it back."""

    def echo(handler: Any) -> None:  # noqa: ANN401 -- a handler
        stub.say(handler, body=f'{{"resources": [], "x": "{PASSWORD} {QUOTED} {ENCODED}"}}'.encode())

    stub.answer, proxy.password = echo, ENCODED
    environ = os.environ | SECRET | {"PURGE_CONFORMANCE_PROXY": f"http://user:{QUOTED}@127.0.0.1:{proxy.port}"}
    asked = ("run", stub.url, ADMIN, "--verbose", "--select=ROUTE-01", "--max-requests=60", "--max-purges=0")
    done = command(*asked, "--out", tmp_path, folder=tmp_path, env=environ)
    assert proxy.got != []
    texts = [path.read_text("utf-8", "replace") for path in tmp_path.iterdir()] + [done.stdout, done.stderr]
    assert [secret for text in texts for secret in (PASSWORD, QUOTED, ENCODED) if secret in text] == []


def test_lost_proxy_is_told(stub: Stub) -> None:
    """A proxy that is not there is a problem whose cure names it, without its password."""
    checks = found(stub.url, proxy=f"http://user:{QUOTED}@127.0.0.1:1")
    assert "--proxy" in problem(checks)[0]
    assert QUOTED not in str(checks)
    assert PASSWORD not in str(checks)


def test_environment_names_proxies(stub: Stub, proxy: Proxy) -> None:
    """Without --proxy HTTP_PROXY is used, but for what NO_PROXY names, and never for this machine."""
    stub.answer = a_page
    other = stub.url.replace("127.0.0.1", "127.1")  # reaches this machine, and is not known to
    environ = SECRET | {
        "http_proxy": f"http://127.0.0.1:{proxy.port}",
        "HTTP_PROXY": "",
        "NO_PROXY": "",
        "no_proxy": "",
    }
    seen = []
    for url, no_proxy in ((other, ""), (other, "127.1"), (stub.url, "")):
        proxy.got.clear()
        done = CliRunner().invoke(main, ["doctor", url, ADMIN], env=environ | {"no_proxy": no_proxy})
        assert done.exit_code == 0, done.output
        seen.append(bool(proxy.got))
    assert seen == [True, False, False]


def test_secret_of_proxy_stands_in_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy's password in the configuration file is refused with the cure, and not repeated."""
    monkeypatch.chdir(tmp_path)
    Path("purge-conformance.yaml").write_text(f"proxy: http://user:{QUOTED}@proxy:1\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["doctor", "http://127.0.0.1:1", ADMIN], env=SECRET)
    assert (done.exit_code, "PURGE_CONFORMANCE_PROXY" in done.output, QUOTED in done.output) == (2, True, False)


@pytest.mark.parametrize("prefix", ["", "/cf", "/cf/api"])
def test_ipv6_and_prefix(prefix: str, serving: Serving) -> None:
    """A target by its IPv6 address and below a path is reached like any other."""
    with serving(host="::1") as stub:
        stub.answer = a_page
        assert statuses(found(stub.url + prefix)) == {"ok"}
        assert stub.targets[-1].startswith(f"{prefix}{EVENTS}?")
        assert {headers["Host"] for _, headers in stub.got} == {stub.url.removeprefix("http://")}
