"""How evidence describes the transport of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from purge_conformance.config.transport import PLAIN_URL, Transport, host_of, is_loopback, proxies_from_environment

if TYPE_CHECKING:
    from meta.support.stub import StubServer


@pytest.mark.parametrize("name", ["user", "user:pass@word/x:1"])
def test_proxy_user_is_hidden(name: str) -> None:
    """User and password of a proxy are hidden, however they are written."""
    shown = str(Transport(proxy=f"http://{name}@proxy.test:1").describe("http://target.test"))
    assert ("user" in shown, "$PROXY_USER@proxy.test:1" in shown) == (False, True)


def test_default_transport_adds_no_options(stub_server: StubServer) -> None:
    """The default transport has no description."""
    assert Transport().describe(stub_server.url) == {}


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        *((host, True) for host in ("localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.8.9.1")),
        *((host, True) for host in ("[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::FFFF:7f00:1]")),
        *((host, False) for host in ("0.0.0.0", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.01")),  # noqa: S104 -- not to be taken for loopback
        *(
            (host, False)
            for host in ("localhost.example.org", "localhost..", "127.0.0.1.", "127.0.0.1.nip.io", "10.0.0.1")
        ),
        *((host, False) for host in ("[fe80::1]", "[::]", "[::1%25lo]", "[::ffff:10.0.0.1]", "[::127.0.0.1]")),
        *(
            (host, False)
            for host in ("\u24dblocalhost", "loc\u0430lhost", "\uff11\uff12\uff17.0.0.1", "loc%61lhost", "")
        ),
    ],
)
def test_loopback_follows_spelling(host: str, *, is_local: bool) -> None:
    """Only localhost and loopback addresses in their usual form are this machine; no name is resolved."""
    assert Transport().is_loopback(f"http://{host}:1") is is_local


@pytest.mark.parametrize(
    ("variables", "flag", "is_local"),
    [
        ({}, None, True),
        ({}, "http://127.0.0.1:1", True),
        ({}, "http://proxy.example.org:1", False),
        ({"http_proxy": "http://proxy.example.org:1"}, None, True),  # it is not used for loopback
        ({"HTTP_PROXY": "proxy.example.org:1", "ALL_PROXY": "http://proxy.example.org:1"}, None, True),
        ({"NO_PROXY": "*"}, "http://proxy.example.org:1", False),  # it does not overrule the flag
        ({}, "http://proxy.example.org\\@127.0.0.1:1", False),  # urllib3 connects to the first host
        ({}, "http://127.0.0.1:1@proxy.example.org:1", False),
        ({}, "http://127.0.0.1@localhost:1", True),
    ],
)
def test_proxy_decides_loopback(
    variables: dict[str, str], flag: str | None, monkeypatch: pytest.MonkeyPatch, *, is_local: bool
) -> None:
    """A loopback URL is this machine only if its proxy is."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, variables.get(name, ""))
    transport = Transport(proxy=flag, proxies=proxies_from_environment())
    assert transport.is_loopback("http://localhost:1") is is_local
    assert not transport.is_loopback("http://api.example.org")


PARTS = ["http:", "https:", "//", "/", "\\", "@", ":", "?", "#", "[", "]", "%", " ", "\t", ".", "1", "80", "127.0.0.1"]
PARTS += ["localhost", "::1", "evil.example", "\u2100", "\uff0f"]


@settings(derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PARTS), max_size=9).map("".join))
def test_parsers_agree_on_loopback(text: str) -> None:
    """What counts as loopback is the host to which urllib3 and urllib connect as well."""
    url = f"http://{text}"
    if is_loopback(host_of(url)):
        assert is_loopback(urlsplit(url).hostname or "")
        try:
            parsed = parse_url(url).host or ""
        except LocationParseError:
            return  # of a port that is too large: nothing is sent
        assert is_loopback(parsed.strip("[]"))


def test_long_urls_are_matched_fast() -> None:
    """A hostile link of a megabyte does not stall the match."""
    assert not PLAIN_URL.fullmatch("//" + "a" * 1_000_000 + "\\")
    assert not PLAIN_URL.fullmatch("a" * 1_000_000)
