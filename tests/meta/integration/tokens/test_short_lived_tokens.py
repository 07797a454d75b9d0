"""A run that lasts longer than its tokens."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from typing import TYPE_CHECKING

import pytest

from meta.support.cf_program import install_cf_program
from meta.support.reference_with_login import Pace, serve_reference
from meta.support.uaa import CLIENT_SECRET, PASSWORD, SECRET, signed
from purge_conformance.reference.api.auth import ROLE_SCOPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from meta.support.command import CommandResult
    from meta.support.uaa import UaaStub

    Run = Callable[..., CommandResult]

LIFE = 3.0
LONG_LIFE = 15.0  # enough for the first requests of a run; then the server stalls until the token is expired
# Prints a new token each time, as `cf oauth-token` does.
PRINTING = f"""
import jwt, math, time
claims = {{"jti": "x", "scope": {list(ROLE_SCOPES["admin_read_only"])}, "aud": "cloud_controller"}}
print("bearer", jwt.encode(claims | {{"exp": math.ceil(time.time() + {LIFE})}}, {SECRET!r}, algorithm="HS256"))
"""


@pytest.fixture
def pace() -> Pace:
    """The delay of the reference server's responses."""
    return Pace()


@pytest.fixture
def reference_with_login(uaa_stub: UaaStub, pace: Pace) -> Iterator[str]:
    """A reference server whose root document names the UAA stub."""
    uaa_stub.life = LIFE
    uaa_stub.rotates = True
    with serve_reference(uaa_stub.url, pace) as url:
        yield url


@pytest.fixture
def run(reference_with_login: str, command: Run, tmp_path: Path) -> Run:
    """Run the command against that server, with secrets in its environment."""

    def call(*arguments: str, **environ: str) -> CommandResult:
        secrets = {"THE_PASSWORD": PASSWORD, "CLIENT_SECRET": CLIENT_SECRET, "EXPIRED": signed("admin", -3600)}
        folder = tmp_path / "out"
        where = () if "--cf" in arguments else (reference_with_login,)
        expired = "--token=expired=env:EXPIRED"
        environment = os.environ | secrets | environ
        return command("run", *where, "--out", folder, expired, *arguments, folder=folder, env=environment)

    return call


def find_secrets(done: CommandResult, *secrets: str) -> list[str]:
    """Return the files and streams of a run that contain one of these secrets, or a part of a token."""
    parts = {part for secret in secrets for part in (secret.split(".")[1:] or [secret])}
    places = {str(path): path.read_bytes() for path in done.folder.rglob("*") if path.is_file()}
    places |= {"stdout": done.stdout.encode(), "stderr": done.stderr.encode()}
    return [place for place, data in places.items() for part in parts if part.encode() in data]


def test_run_renews_tokens(run: Run, uaa_stub: UaaStub) -> None:
    """A run that is longer than the life of its tokens is conformant, complete, and contains no secret."""
    done = run(
        "--verbose",
        "--profile=core",
        "--profile=upstream",
        "--token=admin=uaa:password:admin:env:THE_PASSWORD",
        "--token=global_auditor=uaa:client_credentials:global_auditor:env:CLIENT_SECRET",
        f"--token=admin_read_only=command:{shlex.join([sys.executable, '-c', PRINTING])}",
        "--token=space_developer=uaa:refresh_token:env:REFRESH",
        REFRESH=uaa_stub.refresh_token("space_developer"),
    )
    rows = done.report["requirements"]
    required = [row for row in rows if not row["conditional"] and not row["not_judged"]]
    assert {row["id"]: row["outcome"] for row in required if row["outcome"] != "passed"} == {}
    assert set(done.outcomes.values()) == {"passed", "not exercised"}
    assert (done.code, done.report["verdict"]) == (0, "conformant")
    last = done.evidence.exchanges[-1]
    assert last.sent_at - done.evidence.exchanges[0].sent_at > LIFE
    assert uaa_stub.grants.count("refresh_token") > 2
    assert {"password", "client_credentials", "refresh_token"} == set(uaa_stub.grants)
    assert find_secrets(done, *uaa_stub.secrets, PASSWORD, CLIENT_SECRET) == []


def test_token_may_expire(run: Run, pace: Pace, tmp_path: Path) -> None:
    """After the expiry of a token that is not renewed, the rest is inconclusive, with the cause authentication."""
    token = signed("admin", LONG_LIFE)
    (tmp_path / "token").write_text(token, encoding="utf-8")
    pace.stall_after, pace.stall_until = 150, time.time() + LONG_LIFE + 1
    done = run(f"--token=admin=file:{tmp_path / 'token'}")
    assert (done.code, done.report["verdict"]) == (3, "inconclusive")
    assert done.causes == {"authentication"}
    assert "failed" not in done.outcomes.values()
    assert "passed" in done.outcomes.values()
    assert "The token of admin expired at " in done.stdout
    assert "Give one with a longer lifetime, or a source that renews it" in done.stdout
    assert find_secrets(done, token) == []


def test_other_role_token_may_expire(run: Run, uaa_stub: UaaStub, pace: Pace, tmp_path: Path) -> None:
    """After the expiry of another role's token, only requirements with that role are inconclusive."""
    (tmp_path / "token").write_text(signed("global_auditor", LONG_LIFE), encoding="utf-8")
    pace.stall_after, pace.stall_until = 80, time.time() + LONG_LIFE + 1
    done = run(
        "--token=admin=uaa:password:admin:env:THE_PASSWORD",
        f"--token=global_auditor=file:{tmp_path / 'token'}",
    )
    assert (done.code, done.causes) == (3, {"authentication"})
    assert done.outcomes["AUTH-07"] == "inconclusive"
    assert done.outcomes["SEED-01"] == "passed"
    assert find_secrets(done, *uaa_stub.secrets, PASSWORD) == []


def test_expired_token_ends_run(run: Run) -> None:
    """An expired token of the admin is reported at once, and no run begins."""
    done = run("--token=admin=env:OLD", OLD=signed("admin", -60))
    assert (done.code, done.folder.exists()) == (2, False)
    assert "The token of admin expired at " in done.stderr


def test_token_that_expires_soon_prevents_the_run(run: Run) -> None:
    """A token that expires before the run can end, and that its source cannot renew, is reported at once."""
    done = run(
        "--token=admin=env:SHORT",
        "--token=global_auditor=env:OTHER",
        SHORT=signed("admin", LONG_LIFE),
        OTHER=signed("global_auditor", LONG_LIFE),
    )
    assert (done.code, done.folder.exists()) == (2, False)
    for role in ("admin", "global_auditor"):
        assert f"token of {role}: it expire" in done.stderr


def test_cf_login_gives_target_and_token(
    run: Run, uaa_stub: UaaStub, reference_with_login: str, tmp_path: Path
) -> None:
    """With --cf a run uses the target and the login of the cf CLI, renews its token, and its user stays logged in."""
    path = tmp_path / "home" / ".cf" / "config.json"
    path.parent.mkdir(parents=True)
    token, refresh = signed("admin", LIFE), uaa_stub.refresh_token("admin")
    login = {
        "Target": reference_with_login,
        "AccessToken": f"bearer {token}",
        "RefreshToken": refresh,
        "UaaEndpoint": uaa_stub.url,
    }
    path.write_text(json.dumps(login | {"UAAOAuthClient": "cf", "UAAOAuthClientSecret": ""}), encoding="utf-8")
    role = "--token=global_auditor=uaa:client_credentials:global_auditor:env:CLIENT_SECRET"
    done = run("--cf", role, CF_HOME=str(path.parents[1]), PATH=install_cf_program(tmp_path))
    assert (done.code, done.report["target"]) == (0, reference_with_login)
    assert json.loads(path.read_text(encoding="utf-8"))["RefreshToken"] in uaa_stub.refresh_tokens
    assert find_secrets(done, token, refresh, *uaa_stub.secrets, CLIENT_SECRET) == []


def test_wrong_password_ends_run(run: Run, uaa_stub: UaaStub) -> None:
    """A wrong password ends the run; the only request to the target is that for its login."""
    done = run("--token=admin=uaa:password:admin:env:WRONG", WRONG="a-wrong-password")
    assert (done.code, uaa_stub.grants) == (2, ["password"])
    assert f"The login of admin at {uaa_stub.url}/oauth/token" in done.stderr
    assert "Bad credentials" in done.stderr
    assert "a-wrong-password" not in done.stdout + done.stderr
    assert not done.folder.exists()
