"""What is known to be wrong stops a run before it creates or purges anything."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import pytest

from meta.support.api_stub import ADMIN, Api, jwt, jwt_with
from purge_conformance.analysis.assertions import require_usable_target
from purge_conformance.analysis.outcomes import Inconclusive
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.config.apps import AppSettings, Mode
from purge_conformance.config.hook_url import HookAddress
from purge_conformance.config.roles import ADMIN_SCOPE
from purge_conformance.config.settings import Settings, Target
from purge_conformance.engine.collect import collect
from purge_conformance.errors import ChecksFailed
from purge_conformance.evidence import notes
from purge_conformance.target.doctor import require_hook

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.stub import StubServer
    from purge_conformance.evidence.records import Evidence
    from purge_conformance.scenarios.generated.schemathesis import Generator

AUDITOR = jwt("cloud_controller.global_auditor")
NOT_ADMIN = jwt("cloud_controller.read", "openid")
SHORT = jwt("cloud_controller.admin", expires_in=20)


def run(stub_server: StubServer, out: Path, tokens: dict[str, str], **more: Any) -> Evidence:  # noqa: ANN401 -- settings
    """Run the scenarios against the stub."""
    settings = Settings(Target(stub_server.url), tokens, allow_incomplete_archive=True, **more)
    return collect(settings, out, lambda *_: None, cast("Generator", object()))


def api_without(*prefixes: str) -> Api:
    """Return an API that answers 404 below these paths."""

    class Partial(Api):
        def __call__(self, handler: BaseHTTPRequestHandler) -> None:
            if handler.path.startswith(prefixes):
                handler.send_error(404)
            else:
                super().__call__(handler)

    return Partial(statuses={AUDITOR: 401})


@pytest.mark.parametrize(
    ("tokens", "apps", "words"),
    [
        (
            {"admin": NOT_ADMIN},
            {},
            "it lacks the scope of its role; expected the scope cloud_controller.admin",
        ),
        ({"admin": jwt_with({})}, {}, "it lacks the scope of its role"),
        ({"admin": jwt_with({"scope": None})}, {}, "it lacks the scope of its role"),
        ({"admin": jwt_with({"scope": {ADMIN_SCOPE: True}})}, {}, "it lacks the scope of its role"),
        ({"admin": jwt_with({"scope": [ADMIN_SCOPE], "exp": -1})}, {}, "it expired .* s ago, cannot be renewed"),
        ({"admin": jwt_with({"scope": [ADMIN_SCOPE], "exp": "1.5"})}, {}, "it expired .* s ago, cannot be renewed"),
        ({"expired": jwt_with({"exp": "1" * 400})}, {}, "token of expired: it expires in"),
        ({"admin": SHORT}, {}, "it expire.* cannot be renewed.*the run takes about"),
        ({}, {"space": "one"}, r"space: 404 to GET /v3/spaces/one; expected a space that exists\. Give --space"),
        ({}, {"droplet": "two"}, "droplet: 404 to GET /v3/droplets/two"),
        ({"expired": ADMIN}, {}, "token of expired: it expires in"),
        ({"space_developer": ADMIN}, {}, "token of space_developer: it has the scope"),
        ({"global_auditor": AUDITOR}, {}, "token of global_auditor: the target rejects it with 401, 3 times"),
    ],
    ids=[
        "scope",
        "no-scope",
        "null",
        "object",
        "negative",
        "text",
        "huge",
        "expiry",
        "space",
        "droplet",
        "expired-role",
        "other-role",
        "rejected",
    ],
)
def test_wrong_setting_stops_the_run(
    tokens: dict[str, str], apps: dict[str, Any], words: str, stub_server: StubServer, tmp_path: Path
) -> None:
    """The run only reads, and leaves no folder."""
    stub_server.answer = api_without("/v3/spaces", "/v3/droplets")
    with pytest.raises(ChecksFailed, match=words):
        run(stub_server, tmp_path / "out", {"admin": ADMIN} | tokens, apps=AppSettings(**apps))
    assert (tmp_path / "out").exists() is False
    assert {line.split()[0] for line, _ in stub_server.received} == {"GET"}


def test_all_problems_are_listed(stub_server: StubServer, tmp_path: Path) -> None:
    """One message has every problem, so that one correction is enough."""
    stub_server.answer = api_without("/v3/spaces")
    with pytest.raises(ChecksFailed) as caught:
        run(stub_server, tmp_path / "out", {"admin": NOT_ADMIN, "expired": ADMIN}, apps=AppSettings(space="one"))
    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in lines[1:]] == ["token of admin", "token of expired", "space"]


def test_absent_hook_is_refused() -> None:
    """A hook that does not answer is refused; the target is not asked."""
    settings = Settings(Target("http://127.0.0.1:1"), {"admin": ADMIN}, hook=HookAddress("http://127.0.0.1:1/hook"))
    with pytest.raises(ChecksFailed, match=re.escape("hook: the hook failed at the setup of the state 'nothing'")):
        require_hook(settings)


def test_403_to_an_unreadable_token_ends_purging(stub_server: StubServer, tmp_path: Path) -> None:
    """If the admin's token cannot be read, a 403 to the first purge accuses the token and not the target."""
    api = Api()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.path.startswith(PURGE_PATH):
            stub_server.respond(handler, 403)
        else:
            api(handler)

    stub_server.answer = answer
    evidence = run(stub_server, tmp_path / "out", {"admin": "an-opaque-secret"}, apps=AppSettings(Mode.OBSERVE))
    assert stub_server.purges == 1
    (unusable,) = evidence.noted(notes.UNUSABLE)
    assert (unusable.cause, "--token admin=SOURCE" in unusable.reason) == ("authentication", True)
    with pytest.raises(Inconclusive):
        require_usable_target(evidence)
