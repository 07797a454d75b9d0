"""Secrets: no token, and no part of one, stands in anything that a run leaves or shows."""

from __future__ import annotations

import base64
import gzip
import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from purge_conformance import collect
from purge_conformance.cli import main
from purge_conformance.client import Request
from purge_conformance.credentials import refused
from purge_conformance.errors import TargetLost

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from conftest import Done, Stub, Whole

    from purge_conformance.client import Client

    Connect = Callable[..., Client]

ROOM = Path(__file__).parents[1] / "conformance"
CANARY = 'canary-"Zwitscher"/+==<&>-8c1f'
SIGNATURE = "c2lnbmF0dXJlLXNpZ25hdHVyZQ"
PAYLOAD = "eyJzY29wZSI6WyJjbG91ZF9jb250cm9sbGVyLmFkbWluIl19"
TOKEN = f"eyJhbGciOiJIUzI1NiJ9.{PAYLOAD}.{SIGNATURE}"
PARTS = (PAYLOAD, SIGNATURE, SIGNATURE[::-1])


def secrets_of(token: str) -> set[str]:
    """Return what of a token must not be seen: its payload and its signature, either way round; or the whole."""
    parts = token.split(".")[1:] or [token]
    return {*parts, *(part[::-1] for part in parts)}


def unpacked(path: Path) -> str:
    """Return the text of a file, of a compressed one what it holds."""
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode(errors="replace")


def echo(handler: BaseHTTPRequestHandler) -> None:
    """Answer with what was sent as Authorization, in header and body, in several ways."""
    sent = handler.headers.get("Authorization") or ""
    body = f'{{"resources": [{{"guid": "{sent}"}}], "you": "{sent.upper()} {sent}", "bare": "{sent[7:]}"}}'.encode()
    handler.send_response(200)
    for name, value in {"X-You": sent, "Location": f"/?t={sent[7:]}", "Content-Length": str(len(body))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


@pytest.mark.parametrize("role", ["admin", "global_auditor", "expired", "space_developer"])
def test_folder_holds_no_token(role: str, whole: Whole) -> None:
    """No file of a run holds a token, its payload or its signature."""
    for path in whole.folder.rglob("*"):
        text = unpacked(path)
        assert [path.name for secret in secrets_of(whole.tokens[role]) if secret in text] == []


def test_output_holds_no_token(whole: Whole) -> None:
    """Nothing that a run prints holds one either, with --verbose too."""
    shown = whole.stdout + whole.stderr
    assert [role for role, token in whole.tokens.items() for secret in secrets_of(token) if secret in shown] == []


def test_evidence_names_variables(whole: Whole) -> None:
    """In their place stand the variables, by role."""
    shown = {value for x in whole.evidence.exchanges for name, value in x.request_headers if name == "Authorization"}
    assert {"bearer $ADMIN_TOKEN", "bearer $GLOBAL_AUDITOR_TOKEN", "bearer $EXPIRED_TOKEN"} <= shown


@pytest.mark.parametrize("who", refused({"admin": TOKEN}), ids=lambda who: who.role)
def test_echo_is_redacted(who: object, connect: Connect, stub: Stub, tmp_path: Path) -> None:
    """A server that sends Authorization back, in header and body, gives nothing away, whichever variation was tried."""
    stub.answer = echo
    connect(tokens={"admin": TOKEN}).send(Request("GET", "/v3", "s", who))  # type: ignore[arg-type] # a credential
    text = (tmp_path / "client-0" / "evidence.jsonl").read_text(encoding="utf-8")
    assert [part for part in PARTS if part in text] == []


def test_echo_of_run_is_redacted(stub: Stub, command: Callable[..., Done], tmp_path: Path) -> None:
    """A run against a server that echoes leaves no secret in any file or line, though it takes it all for answers."""
    stub.answer = echo
    done = command(
        *("run", stub.url, "--token=admin=env:ADMIN_SECRET", "--verbose", "--max-requests=60", "--select=P*"),
        *("--out", tmp_path),
        folder=tmp_path,
        env=os.environ | {"ADMIN_SECRET": TOKEN},
    )
    files = {path.name: unpacked(path) for path in tmp_path.iterdir()}
    assert {"evidence.jsonl", "archive.jsonl.gz", "report.json", "report.html"} <= set(files)
    places = files | {"stdout": done.stdout, "stderr": done.stderr}
    assert [name for name, text in places.items() for secret in PARTS if secret in text] == []


def test_exception_tells_no_token(connect: Connect, stub: Stub) -> None:
    """What is said of a lost target holds no token, even where the target answered with it instead of HTTP."""

    def junk(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(f"{TOKEN}\r\n\r\n".encode())
        handler.close_connection = True

    stub.answer = junk
    client = connect(tokens={"admin": TOKEN})
    for _ in range(2):
        client.get("/v3", "s")
    with pytest.raises(TargetLost) as caught:
        client.get("/v3", "s")
    assert [part for part in PARTS if part in str(caught.value)] == []


def test_client_hides_credentials(connect: Connect) -> None:
    """Neither a client nor what it holds shows a token when it is printed."""
    client = connect(tokens={"admin": TOKEN})
    assert not re.search("|".join(PARTS), f"{client!r} {vars(client)!r}")


def test_archive_is_unchanged(whole: Whole) -> None:
    """The archive holds the events as they were, with nothing redacted: no token resembled what a server says."""
    assert "_TOKEN" not in unpacked(whole.folder / "archive.jsonl.gz")


def in_other_forms(secret: str) -> set[str]:
    """Return a secret as it stands in a URL, in JSON, in HTML, or in Base64 at each of three places."""
    coded = {base64.b64encode(b"x" * n + secret.encode()).decode()[4:-4] for n in range(3)}
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], html.escape(secret), *coded}


def leaks(place: Path, *streams: str) -> list[str]:
    """Return the files and streams, of a command in a folder, that hold the canary in some form."""
    texts = {str(path): unpacked(path) for path in place.rglob("*") if path.is_file()}
    texts |= {f"stream {number}": text for number, text in enumerate(streams)}
    return [name for name, text in texts.items() if any(form in text for form in in_other_forms(CANARY))]


COMMANDS = ("run", "observed", "plan", "archive", "doctor", "cleanup", "pinned", "dies", "misplaced")


@pytest.mark.parametrize("kind", COMMANDS)
def test_canary_is_nowhere(kind: str, command: Callable[..., Done], stub: Stub, tmp_path: Path) -> None:
    """No command writes a token to any file or stream, though the target sends it back, dies, or cannot be asked."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if kind == "dies" and len(stub.got) > 4:
            handler.wfile.write(f"{CANARY}\r\n\r\n".encode())
            handler.close_connection = True
        else:
            forms = "\n".join(in_other_forms(CANARY))
            stub.say(handler, body=forms.encode() + CANARY.replace("/", "\\/").encode(), X_You=quote(CANARY))

    stub.answer = answer
    out = tmp_path / "out"
    run = ("run", stub.url, "--max-requests=60", "--verbose", "--out", str(out))
    (tmp_path / "broken.yaml").write_text(f"target: {stub.url}\ntokens: {{admin: [{CANARY}]}}\n", encoding="utf-8")
    arguments = {
        "observed": (*run, "--profile=observe-only"),
        "plan": ("plan", stub.url),
        "archive": ("archive", stub.url, "--out", str(tmp_path / "events.jsonl.gz")),
        "doctor": ("doctor", stub.url),
        "cleanup": ("cleanup", stub.url),
        "pinned": (*run, f"--fingerprint={'0' * 64}"),
        "misplaced": (*run, f"--config={tmp_path}/broken.yaml"),
    }.get(kind, run)
    done = command(*arguments, "--token=admin=env:ADMIN_SECRET", folder=out, env=os.environ | {"ADMIN_SECRET": CANARY})
    (tmp_path / "broken.yaml").unlink()
    assert done.code in {0, 1, 2, 3}
    assert leaks(tmp_path, done.stdout, done.stderr) == []


@pytest.mark.parametrize("kind", ["apps", "jobs"])
def test_cleanup_tells_no_canary(kind: str, command: Callable[..., Done], stub: Stub, tmp_path: Path) -> None:
    """Nor does cleanup, though the target names what it deletes after the token, and fails with it."""
    row: dict[str, object] = {"guid": "left", "name": CANARY, "created_at": "2026-07-01T12:00:00Z"}
    row["metadata"] = {"labels": {"purge-conformance-run": CANARY}}
    page = json.dumps({"pagination": {"total_results": 1, "next": None}, "resources": [row]}).encode()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.command == "DELETE" and kind == "apps":
            stub.say(handler, 422, json.dumps({"errors": [{"code": 1, "title": CANARY, "detail": CANARY}]}).encode())
        else:
            stub.say(handler, body=page)

    stub.answer = answer
    environ = os.environ | {"ADMIN_SECRET": CANARY}
    done = command("cleanup", stub.url, "--token=admin=env:ADMIN_SECRET", folder=tmp_path, env=environ)
    assert ("left" in done.stdout, leaks(tmp_path, done.stdout, done.stderr)) == (True, [])


@pytest.mark.parametrize("flag", ["--token=admin={0}", "--token={0}=env:T", "--proxy=http://me:{0}@proxy"])
def test_init_tells_no_canary(flag: str, command: Callable[..., Done], tmp_path: Path) -> None:
    """`init` neither writes nor repeats a secret that stands in the wrong place, and leaves no file then."""
    secret = quote(CANARY, safe="") if "proxy" in flag else CANARY
    done = command("init", "http://target.test", flag.format(secret), folder=tmp_path, cwd=tmp_path)
    assert (done.code, list(tmp_path.iterdir())) == (2, [])
    assert leaks(tmp_path, done.stdout, done.stderr) == []


def falling(*_: object) -> None:
    """Fail as a defect of the suite would that has a token at hand, in each of its forms."""
    raise RuntimeError("\n".join(in_other_forms(CANARY))) from KeyError(CANARY)


@pytest.mark.parametrize(("place", "told"), [("again", "crashed"), ("all", "The suite failed"), ("judge", "failed")])
def test_crash_tells_no_canary(
    place: str, told: str, stub: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect of the suite, in an experiment or anywhere else, is told without its words where a token is in them."""
    stub.answer = lambda handler: stub.say(handler, body=b'{"resources": [{"guid": "one"}]}')
    whole = collect.EXPERIMENTS
    plan = tuple((name, falling if name == place else procedure) for name, procedure in whole)
    monkeypatch.setattr(collect, "EXPERIMENTS", plan)
    if place != "again":
        monkeypatch.setattr(f"purge_conformance.{'collect.collect' if place == 'all' else 'judge.judge'}", falling)
    asked = [
        "run",
        stub.url,
        "--token=admin=env:T",
        "--select=AGAIN-*",
        "--max-requests=120",
        f"--out={tmp_path / 'out'}",
    ]
    done = CliRunner().invoke(main, asked, env={"T": CANARY})
    assert (done.exit_code, told in done.output or told in unpacked(tmp_path / "out" / "evidence.jsonl")) == (3, True)
    assert leaks(tmp_path, done.output) == []


def test_crash_under_pytest_tells_no_canary(stub: Stub, tmp_path: Path) -> None:
    """Plain pytest tells no words of a defect either, and no variables, though it is asked for them."""
    (tmp_path / "falling.py").write_text(
        f"""import purge_conformance.running
def pytest_configure(config):
    def fall(*_, **__):
        secret = {CANARY!r}
        raise RuntimeError(secret)
    purge_conformance.running.collect = fall
""",
        encoding="utf-8",
    )
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", str(ROOM), "-p", "falling", "-l"),
            *(f"--target={stub.url}", "--token=admin=env:T", f"--conformance-out={tmp_path / 'out'}"),
        ],
        env=os.environ | {"T": CANARY, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    (tmp_path / "falling.py").unlink()
    shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)
    assert (done.returncode, "The suite failed" in done.stdout + done.stderr) == (3, True)
    assert leaks(tmp_path, done.stdout, done.stderr) == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_gets_no_token(
    status: int, command: Callable[..., Done], stub: Stub, other_stub: Stub, tmp_path: Path
) -> None:
    """Nothing is sent to where a target redirects, neither a token nor a request, and it is no lost target either."""
    place = other_stub.url.replace("127.0.0.1", "localhost")
    stub.answer = lambda handler: stub.say(handler, status, Location=f"{place}{handler.path}")
    done = command(
        *("run", stub.url, "--token=admin=env:ADMIN_SECRET", "--out", tmp_path / "out"),
        folder=tmp_path / "out",
        env=os.environ | {"ADMIN_SECRET": CANARY},
    )
    assert (done.code, other_stub.got, stub.purges) == (3, [], 0)
    assert done.evidence.exchanges[0].status == status
