"""One token from each source, one secret of each kind, and a target that repeats them all in every encoding."""

from __future__ import annotations

import gzip
import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.cf_program import CONFIG
from meta.support.echo_target import COOKIE, EchoTarget
from meta.support.encoders import ENCODERS
from meta.support.leaks import holds_secret
from purge_conformance.config.formats import NAMES
from purge_conformance.engine import reference_process
from purge_conformance.report.formats import FILE_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from meta.support.command import CommandResult
    from meta.support.proxy import Proxy
    from meta.support.stub import StubServer

PASSWORD, CLIENT_SECRET = "canary-Pass/word+17&x", "canary-Client=Secret/42"
REFRESH, NEW_REFRESH, CLI_REFRESH = "canary-refresh-one/1", "canary-refresh-two/2", "canary-refresh-cli/3"
PROXY_PASSWORD, HOOK_KEY = "canary-proxy-pass-8c1f", "canary-hook-key-55e2"
SECRETS = [PASSWORD, CLIENT_SECRET, REFRESH, NEW_REFRESH, CLI_REFRESH, PROXY_PASSWORD, HOOK_KEY]
FORMATS = tuple(f"--format={name}" for name in NAMES)
RUN = ("--examples=1", "--max-requests=200", "--max-purges=4", "--verbose", *FORMATS)


@dataclass(frozen=True)
class Canaries:
    """What a command is given, and what it must not show."""

    url: str
    flags: tuple[str, ...]
    environ: Mapping[str, str]
    secrets: tuple[str, ...]
    target: EchoTarget


@pytest.fixture
def canaries(stub_server: StubServer, proxy: Proxy, tmp_path: Path) -> Iterator[Canaries]:
    """A target that repeats every secret, and flags that take a token from every source."""
    home = tmp_path / "home"
    (home / ".cf").mkdir(parents=True)
    with reference_process.server() as (reference, tokens):
        used = ("admin", "global_auditor", "space_developer", "org_manager", "space_auditor", "space_manager")
        parts = [part for role in (*used, "org_auditor") for part in tokens[role].split(".")[1:]]
        target = EchoTarget(reference, tokens, [*SECRETS, *(tokens[role] for role in used)], 0, NEW_REFRESH)
        stub_server.answer = lambda handler: target.answer(handler, stub_server.bodies[-1], stub_server.url)
        login = CONFIG | {"Target": stub_server.url, "AccessToken": f"bearer {tokens['org_auditor']}"}
        (home / ".cf" / "config.json").write_text(json.dumps(login | {"RefreshToken": CLI_REFRESH}), encoding="utf-8")
        (home / "token").write_text(tokens["space_auditor"], encoding="utf-8")
        sources = {
            "admin": "env:CANARY_ADMIN",
            "global_auditor": "uaa:password:admin:env:CANARY_PASSWORD",
            "space_developer": "uaa:client_credentials:someone:env:CANARY_CLIENT",
            "org_manager": "uaa:refresh_token:env:CANARY_REFRESH",
            "space_auditor": f"file:{home / 'token'}",
            "space_manager": f"command:{sys.executable} -c \"import os; print(os.environ['CANARY_MANAGER'])\"",
            "org_auditor": "cf",
        }
        environ = {
            "CANARY_ADMIN": tokens["admin"],
            "CANARY_PASSWORD": PASSWORD,
            "CANARY_CLIENT": CLIENT_SECRET,
            "CANARY_REFRESH": REFRESH,
            "CANARY_MANAGER": tokens["space_manager"],
            "CF_HOME": str(home),
            "PURGE_CONFORMANCE_PROXY": f"http://user:{PROXY_PASSWORD}@127.0.0.1:{proxy.port}",
            "PURGE_CONFORMANCE_HOOK": f"{reference_process.hook_url(reference)}?key={HOOK_KEY}",
        }
        flags = tuple(f"--token={role}={source}" for role, source in sources.items())
        secrets = (*SECRETS, COOKIE, *parts)
        yield Canaries(stub_server.url, flags, os.environ | environ, secrets, target)


@pytest.mark.parametrize("kind", ["run", "doctor", "plan", "archive", "cleanup"])
def test_command_shows_no_canary(
    kind: str, canaries: Canaries, command: Callable[..., CommandResult], tmp_path: Path
) -> None:
    """No byte that a command prints or writes holds a secret of any source, however the target encodes it."""
    canaries.target.quiet = 20 if kind == "run" else 0
    out = tmp_path / "out"
    more = {"run": (*RUN, f"--out={out}"), "archive": (f"--out={out / 'events.jsonl.gz'}",)}.get(kind, ())
    out.mkdir(exist_ok=kind != "run")
    if kind == "run":
        out.rmdir()
    environ = dict(canaries.environ)
    if kind in {"archive", "cleanup"}:
        del environ["PURGE_CONFORMANCE_HOOK"]
    done = [command(kind, canaries.url, *canaries.flags, *more, folder=out, env=environ)]
    if kind == "run":
        done.append(command("judge", out, "--out", tmp_path / "again", *FORMATS, folder=out, env=environ))
        done.append(command("report", out, *FORMATS, folder=out, env=environ))
        assert canaries.target.answered > canaries.target.quiet + len(ENCODERS)
        assert all("$ADMIN_TOKEN" in (out / name).read_text("utf-8") for name in ("evidence.jsonl", "evidence.har"))
        assert all((out / name).exists() for name in FILE_NAMES.values())
    assert {each.code for each in done} <= {0, 1, 2, 3}
    assert canaries.target.answered > canaries.target.quiet
    shown = {f"stream {n}": text.encode() for n, each in enumerate(done) for text in (each.stdout + each.stderr,)}
    folders = (out, tmp_path / "again")
    written = {str(path): _content(path) for folder in folders for path in folder.rglob("*") if path.is_file()}
    assert [name for name, data in (shown | written).items() if holds_secret(data, canaries.secrets)] == []


def _content(path: Any) -> bytes:  # noqa: ANN401 -- a path
    data: bytes = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data
