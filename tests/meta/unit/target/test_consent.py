"""Consent to purge a target."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from purge_conformance.config.build import build_settings
from purge_conformance.config.settings import Settings, Target
from purge_conformance.errors import ConsentMissing, TargetUnreachable
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.target.consent import needed_consent, require_consent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import NoReturn

    from meta.support.story import EvidenceBuilder
    from purge_conformance.evidence.records import Exchange

LOCAL = "http://127.0.0.1:9"
REMOTE = "https://api.example.org"
API = {"href": "https://api.example.org:8443"}
LOCAL_LINKS = {"self": {"href": "http://localhost:8080"}, "cloud_controller_v2": None}


def settings_for(url: str, **options: object) -> Settings:
    """Return the settings of a run against that target."""
    return build_settings({"target": url, **options}, {"admin": "an-opaque-secret"})


def no_root() -> NoReturn:
    """Fail to read the root document."""
    raise TargetUnreachable("no response")


def require(settings: Settings, allowed: Iterable[str] = (), ask: Callable[[str], str] | None = None) -> None:
    """Require consent to purge a target that does not respond."""
    require_consent(settings, no_root, allowed, ask)


@pytest.fixture
def root_of(builder: EvidenceBuilder) -> Callable[[object], Exchange]:
    """The function that makes the answer to a request for the root document, of its `links`."""
    return lambda links: builder.add_exchange(Scenario.PREFLIGHT, Step.ROOT, body=json.dumps({"links": links}).encode())


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://localhost:1", []),
        ("http://[::1]:1", []),
        (REMOTE, ["api.example.org"]),
        ("https://API.example.org/cf", ["other", "Api.Example.Org"]),
        (REMOTE, ["api.example.org:443"]),
        ("https://api.example.org:8443", ["api.example.org"]),
        ("https://api.example.org:8443", ["api.example.org:8443"]),
        ("https://[fd00::1]", ["fd00::1"]),
        ("https://[fd00::1]:8443", ["[fd00::1]:8443"]),
    ],
)
def test_consent_allows_purge(url: str, allowed: list[str]) -> None:
    """A local host, and a host that was named, may be purged."""
    require(settings_for(url), allowed)


@pytest.mark.parametrize("allowed", [[], ["example.org"], ["*"], [""], ["api.example.org:80"]])
def test_missing_consent_is_explained(allowed: list[str]) -> None:
    """Any other host or port may not be purged; the message says what is destroyed and how to allow it."""
    with pytest.raises(ConsentMissing, match=r"billing data.*--allow-purge api\.example\.org"):
        require(settings_for(REMOTE), allowed)


@pytest.mark.parametrize("typed", ["api.example.org", " API.example.org ", "api.example.org:443"])
def test_typed_host_gives_consent(typed: str) -> None:
    """The typed host name gives consent, after the prompt has said what is destroyed."""
    prompts: list[str] = []
    require(settings_for(REMOTE), [], lambda question: prompts.append(question) or typed)  # type: ignore[func-returns-value] # None, so that what was typed is returned
    assert "billing data" in prompts[0]


@pytest.mark.parametrize("typed", ["", "y", "yes", "example.org", "api.example.org:80"])
def test_other_input_gives_no_consent(typed: str) -> None:
    """Any other input gives no consent."""
    with pytest.raises(ConsentMissing, match="No purge was sent"):
        require(settings_for(REMOTE), [], lambda _: typed)


def test_wrong_host_skips_prompt() -> None:
    """If another host was allowed there is no prompt: the two names must agree."""
    with pytest.raises(ConsentMissing, match=r"another host: api\.example\.com"):
        require(settings_for(REMOTE), ["api.example.com"], lambda _: "api.example.org")


@pytest.mark.parametrize("allowed", [[], ["127.0.0.1"], ["127.0.0.1:9"], ["proxy.example.org:80"]])
def test_remote_proxy_needs_consent(allowed: list[str]) -> None:
    """A loopback URL behind the proxy of another machine is another machine: the host of the proxy has to be named."""
    settings = settings_for(LOCAL, proxy="http://user:secret@proxy.example.org:3128")
    with pytest.raises(ConsentMissing) as caught:
        require(settings, allowed)
    message = str(caught.value)
    assert message.startswith(f"{LOCAL} through the proxy proxy.example.org:3128 is another machine.")
    assert message.endswith("--allow-purge proxy.example.org")
    assert "secret" not in message
    require(settings, ["Proxy.example.org"])
    require(settings, ["proxy.example.org:3128"])


@pytest.mark.parametrize("proxy", ["http://localhost:3128", "http://[::1]:3128"])
def test_local_proxy_needs_no_consent(proxy: str) -> None:
    """A loopback URL behind a loopback proxy is this machine; another URL behind it is not."""
    require(settings_for(LOCAL, proxy=proxy))
    with pytest.raises(ConsentMissing, match=r"--allow-purge api\.example\.org"):
        require(settings_for(REMOTE, proxy=proxy))


def test_reads_need_no_consent() -> None:
    """A run that only reads needs no consent, and asks for no root document."""
    for url in (LOCAL, REMOTE):
        require_consent(settings_for(url, profile=["observe-only"]), pytest.fail, [])


@pytest.mark.parametrize(
    "links",
    [
        LOCAL_LINKS,
        {},
        None,
        {"self": None},
        {"self": {"href": "/"}, "apps": {"href": "v3/apps"}, "query": {"href": "?a=http://api.example.org"}},
        {"self": {"href": "http://127.0.0.2:1"}, "v6": {"href": "http://[::1]:1/v3"}, "ssh": {"href": "localhost:22"}},
        {"self": {"href": "https://LOCALHOST./v3", "meta": {"version": "3.195.0", "hosts": ["api.example.org"]}}},
        {"support": {"href": ""}},
    ],
)
def test_local_links_need_no_consent(links: object, root_of: Callable[[object], Exchange]) -> None:
    """A target on loopback that links to nothing else is this machine."""
    assert needed_consent(settings_for(LOCAL), root_of(links)) is None


@pytest.mark.parametrize(
    ("links", "host"),
    [
        ({**LOCAL_LINKS, "cloud_controller_v3": API}, "api.example.org"),
        ({"uaa": {"href": "https://uaa.example.org"}, "self": API, "app_ssh": None}, "api.example.org"),
        ({"self": {"href": "http://localhost"}, "uaa": {"href": "https://uaa.example.org"}}, "uaa.example.org"),
        ({"app_ssh": {"href": "ssh.example.org:2222", "meta": {"host_key_fingerprint": "x"}}}, "ssh.example.org"),
        ({"deep": {"meta": [{"more": {"href": "wss://doppler.example.org:443"}}]}}, "doppler.example.org"),
        ({"self": "http://api.example.org"}, "api.example.org"),
        ([{"rel": "self", "href": "http://api.example.org"}], "api.example.org"),
        ({"self": {"href": "//api.example.org/v3"}}, "api.example.org"),
        ({"self": {"href": "api.example.org/v3"}}, "api.example.org"),
        ({"self": {"href": "http://127.0.0.1@api.example.org/"}}, "api.example.org"),
        ({"self": {"href": "http://0.0.0.0:8080"}}, "0.0.0.0"),  # noqa: S104 -- it is no loopback address
        ({"self": {"href": "http://127.1"}}, "127.1"),
        ({"self": {"href": "http://[fd00::1]/"}}, "fd00::1"),
    ],
)
def test_remote_link_needs_consent(links: object, host: str, root_of: Callable[[object], Exchange]) -> None:
    """A target on loopback that links to another machine stands for it: that host has to be named."""
    root = root_of(links)
    settings = settings_for(LOCAL)
    for allowed in ([], ["127.0.0.1"], ["other"]):
        with pytest.raises(ConsentMissing, match=rf"links to {host}.*--allow-purge {host}$".replace("[", r"\[")):
            require_consent(settings, lambda: root, allowed)
    require_consent(settings, lambda: root, [host])


@pytest.mark.parametrize(
    "href",
    [
        *(
            "http://127.0.0.1\\@api.example.org",
            "http:\\\\api.example.org",
            "\\\\api",
            "/\\api",
            "/\t/api",
            " http://localhost",
        ),
        *(
            "http://127.0.0.1%2eexample.org",
            "http://\uff11\uff12\uff17.0.0.1",
            "http://localhost:x",
            "http://[::1",
            "http://",
        ),
        *("http://[1::2::3]", "http://localhost:99999", "http://a\nb", "javascript:alert(1)", "mailto:x@example.org"),
        *(1, True, [], {}, {"url": "http://api.example.org"}, ["http://api.example.org"], f"http://{'a' * 300}/"),
    ],
)
def test_unreadable_link_counts_as_remote(href: object, root_of: Callable[[object], Exchange]) -> None:
    """If no host can be read from a link, the target's own host has to be named."""
    consent = needed_consent(settings_for(LOCAL), root_of({**LOCAL_LINKS, "odd": {"href": href}}))
    assert consent is not None
    assert consent.host == "127.0.0.1"
    assert consent.names == {"127.0.0.1", "127.0.0.1:9"}


def test_api_links_decide(root_of: Callable[[object], Exchange]) -> None:
    """If the API's own links name another machine, the host of another link does not stand for it."""
    root = root_of({"uaa": {"href": "https://uaa.example.org"}, "cloud_controller_v3": API})
    require_consent(settings_for(LOCAL), lambda: root, ["api.example.org:8443"])
    with pytest.raises(ConsentMissing):
        require_consent(settings_for(LOCAL), lambda: root, ["uaa.example.org"])


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"[" * 100_000, b'{"links": {"self": {"href": "http://a', b"\xff"]
)
def test_unreadable_root_needs_no_consent(body: bytes, builder: EvidenceBuilder) -> None:
    """Without a readable root document no consent is needed."""
    root = builder.add_exchange(Scenario.PREFLIGHT, Step.ROOT, body=body)
    assert needed_consent(settings_for(LOCAL), root) is None


def test_deep_root_is_read(builder: EvidenceBuilder) -> None:
    """A deep document overflows no stack, and hides no link."""
    link = '{"x":' * 500 + '{"href": "http://api.example.org"}' + "}" * 500
    root = builder.add_exchange(Scenario.PREFLIGHT, Step.ROOT, body=f'{{"links": {{"self": {link}}}}}'.encode())
    consent = needed_consent(Settings(Target(LOCAL), {}), root)
    assert consent is not None
    assert consent.host == "api.example.org"
