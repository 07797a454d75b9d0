"""The command: its exit codes, each by a run, and what it prints."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from purge_conformance import __version__, catalogue
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.cli import main
from purge_conformance.engine import reference_process as embedded
from purge_conformance.selfcheck import run as checking
from purge_conformance.selfcheck.matrix import Matrix, Row
from purge_conformance.selfcheck.mutants import select_servers

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.command import CommandResult, FullRun
    from meta.support.stub import StubServer

    Command = Callable[..., CommandResult]

SECRET = {"ADMIN_SECRET": "an-opaque-secret"}
ADMIN = "--token=admin=env:ADMIN_SECRET"
UNUSED = "http://127.0.0.1:1"  # nothing listens there


def called(*arguments: str, **more: Any) -> Result:  # noqa: ANN401 -- of click's runner
    """Call the command within this process."""
    return CliRunner().invoke(main, arguments, env=SECRET, **more)


def test_conformant_is_0(full_run: FullRun) -> None:
    """A run of both profiles against a server without a fault exits with 0, and accounts for every MUST."""
    assert (full_run.code, full_run.report["verdict"], full_run.stderr) == (0, "conformant", "")
    rows = {r["id"]: r for r in full_run.report["requirements"] if r["outcome"] != "passed" and r["level"] == "MUST"}
    assert [name for name, row in rows.items() if not row["conditional"] or not row["reason"]] == []
    assert len(full_run.outcomes) == len(catalogue.requirements())


def test_non_conformant_is_1(command: Command, tmp_path: Path) -> None:
    """A run against a server with a fault exits with 1, names the requirement, and obeys what it was asked for."""
    with embedded.server(["--fault", "purge-returns-data"]) as (url, tokens):
        asked = ("--select=PURGE-*", "--max-purges=3", "--max-requests=200", "--seed=7", "--examples=2", "--timeout=9")
        done = command(
            "run",
            url,
            ADMIN,
            *asked,
            "--out",
            tmp_path / "out",
            folder=tmp_path / "out",
            env=os.environ | {"ADMIN_SECRET": tokens["admin"]},
        )
    assert (done.code, done.report["verdict"], done.outcomes["PURGE-02"]) == (1, "non-conformant", "failed")
    assert set(done.outcomes) == {f"PURGE-0{n}" for n in range(1, 7)}
    wanted = {"max_purges": 3, "max_requests": 200, "seed": 7, "examples": 2, "timeout": 9.0, "select": ["PURGE-*"]}
    assert wanted.items() <= done.evidence.header.settings.items()
    assert (done.report["purges"] <= 3, done.report["requests"] <= 200) == (True, True)


def test_unreachable_is_3(command: Command, tmp_path: Path) -> None:
    """A target that cannot be reached gives no verdict about it: 3, and the network is blamed."""
    done = command("run", UNUSED, ADMIN, "--out", tmp_path / "out", folder=tmp_path / "out", env=os.environ | SECRET)
    assert (done.code, done.report["verdict"], done.causes) == (3, "inconclusive", {"network"})
    assert set(done.outcomes.values()) == {"inconclusive", "not exercised"}


def test_refused_token_is_3(command: Command, stub_server: StubServer, tmp_path: Path) -> None:
    """A target that refuses the admin's token gives no verdict about it: 3, and authentication is blamed."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 401, b'{"errors": []}')
    done = command(
        "run", stub_server.url, ADMIN, "--out", tmp_path / "out", folder=tmp_path / "out", env=os.environ | SECRET
    )
    assert (done.code, done.report["verdict"], done.causes) == (3, "inconclusive", {"authentication"})
    assert ("passed" in done.outcomes.values(), stub_server.purges) == (False, 0)


def test_no_api_is_3(command: Command, stub_server: StubServer, tmp_path: Path) -> None:
    """A URL at which no such API is gives no verdict: 3, and the configuration is blamed."""
    stub_server.answer = lambda handler: stub_server.respond(
        handler, 200, b"<html>Welcome</html>", Content_Type="text/html"
    )
    done = command(
        "run", stub_server.url, ADMIN, "--out", tmp_path / "out", folder=tmp_path / "out", env=os.environ | SECRET
    )
    assert (done.code, done.report["verdict"], done.causes) == (3, "inconclusive", {"configuration"})
    assert ("passed" in done.outcomes.values(), stub_server.purges) == (False, 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((UNUSED,), "No token of an admin"),
        ((UNUSED, "--token=admin=env:NOTHING"), "is not set"),
        ((UNUSED, ADMIN, "--select=NO-SUCH"), "matches no requirement"),
        ((UNUSED, ADMIN, "--profile=downstream"), "downstream"),
        ((UNUSED, ADMIN, "--max-purges=-1"), "max-purges"),
        ((UNUSED, ADMIN, "--seed=x"), "seed"),
        ((UNUSED, ADMIN, "--ca-bundle=/no/such/file"), "ca-bundle"),
        ((UNUSED, ADMIN, "--no-such-option"), "no-such-option"),
        (("http://127.0.0.1:99999", ADMIN), "Give http"),
        (("http://[::1", ADMIN), "Give http"),
        (("ftp://127.0.0.1", ADMIN), "Give http"),
        (("https://api.example.org", ADMIN), "--allow-purge api.example.org"),
        ((ADMIN,), "URL"),
    ],
)
def test_misuse_is_2(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    """What cannot be done ends with 2 and one plain sentence, before anything is written or sent."""
    done = called("run", *arguments, "--out", str(tmp_path / "out"))
    assert (done.exit_code, "Traceback" in done.output, (tmp_path / "out").exists()) == (2, False, False)
    assert words in done.output


def test_stranger_is_sent_nothing(stub_server: StubServer, tmp_path: Path) -> None:
    """A host that is not this machine's by name gets no request without consent, though it may be reached."""
    url = stub_server.url.replace("127.0.0.1", "127.1")
    assert called("run", url, ADMIN, "--out", str(tmp_path / "out")).exit_code == 2
    assert stub_server.received == []


def test_crash_is_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of the suite itself ends with neither 0 nor 1: those speak of the target."""

    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("purge_conformance.engine.collect.collect", broken)
    assert called("run", UNUSED, ADMIN, "--out", str(tmp_path / "out")).exit_code == 3


def test_old_folder_is_2(full_run: FullRun) -> None:
    """A folder that holds a run is not written over."""
    before = (full_run.folder / "evidence.jsonl").stat().st_mtime_ns
    done = called("run", UNUSED, ADMIN, "--out", str(full_run.folder))
    assert (done.exit_code, "another folder" in done.output) == (2, True)
    assert (full_run.folder / "evidence.jsonl").stat().st_mtime_ns == before


def test_purges_are_told_first(full_run: FullRun) -> None:
    """The most purges are printed before the first is sent, and so is what each destroys."""
    lines = full_run.stdout.splitlines()
    assert "at most 40 purges, each destroys all app usage events" in lines[0]
    assert min(n for n, line in enumerate(lines) if "POST /v3/app_usage_events/actions" in line) > 0


def test_lines_are_plain(full_run: FullRun) -> None:
    """Where the output is no terminal, it is plain lines: no colours, no carriage returns."""
    assert re.findall(r"[\x00-\x09\x0b-\x1f\x7f]", full_run.stdout) == []


def test_verbose_shows_each_request(full_run: FullRun) -> None:
    """With --verbose each request is a line."""
    shown = re.findall(r"^ +(\d+) \S+ [A-Z]+ /\S* -> \d+$", full_run.stdout, re.MULTILINE)
    assert len(shown) == full_run.report["requests"]


def test_last_lines_say_verdict(full_run: FullRun) -> None:
    """The last lines are the verdict and where the reports are."""
    *_, verdict, reports = full_run.stdout.splitlines()
    assert verdict.startswith("Verdict: conformant.")
    assert str(full_run.folder / "report.html") in reports


def test_quiet_shows_the_end_only(stub_server: StubServer, tmp_path: Path) -> None:
    """With --quiet nothing is printed before the end."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 401)
    done = called("run", stub_server.url, ADMIN, "--quiet", "--select=ROUTE-01", "--out", str(tmp_path / "out"))
    assert (done.exit_code, "collecting" in done.output, "at most" in done.output) == (3, False, False)
    assert "Verdict: inconclusive" in done.output


def test_list_shows_all() -> None:
    """`list` prints each requirement on a line, both profiles where none is named."""
    lines = called("list").output.splitlines()
    assert len(lines) == len(catalogue.requirements())
    assert re.fullmatch(r"PURGE-01 +MUST +core +A purge by an admin answers 200\.", lines[0])


def test_list_speaks_json() -> None:
    """`list --json` prints all that is known of the selected requirements."""
    rows = json.loads(called("list", "--json", "--profile=upstream", "--select=UP-SEED-*").output)
    assert {row["id"] for row in rows} == {f"UP-SEED-0{n}" for n in (1, 2, 3, 4)}
    assert {"level", "profile", "statement", "quote", "remedy"} <= set(rows[0])


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--version",), 0, __version__),
        (("--help",), 0, "3 inconclusive"),
        (("run", "--help"), 0, "destroys all app usage events"),
        (("judge", "/no/such/folder", "--out=x"), 2, "does not exist"),
        (("report", "/no/such/folder"), 2, "does not exist"),
        (("list", "--select=NO-SUCH"), 2, "matches no requirement"),
        (("serve", "--fault=no-such-fault", "--port=0"), 2, "no-such-fault"),
        (("no-such-command",), 2, "no-such-command"),
    ],
)
def test_commands_explain(arguments: tuple[str, ...], code: int, words: str) -> None:
    """Each subcommand explains itself, and refuses what it cannot use with 2."""
    done = called(*arguments)
    assert (done.exit_code, words in done.output) == (code, True), done.output


def test_empty_folder_is_2(tmp_path: Path) -> None:
    """`judge` and `report` of a folder without a run end with 2 and the cure."""
    for arguments in (("judge", str(tmp_path), "--out", str(tmp_path / "out")), ("report", str(tmp_path))):
        done = called(*arguments)
        assert (done.exit_code, "Name the folder that a run wrote" in done.output) == (2, True)


def test_report_writes_again(full_run: FullRun, tmp_path: Path) -> None:
    """`report` writes the same reports again from report.json and the evidence."""
    for name in ("report.json", "evidence.jsonl"):
        (tmp_path / name).write_bytes((full_run.folder / name).read_bytes())
    assert called("report", str(tmp_path)).exit_code == 0
    for name in ("report.json", "junit.xml", "summary.md", "report.html"):
        assert (tmp_path / name).read_bytes() == (full_run.folder / name).read_bytes()


def test_admin_is_asked_for_only_lists(stub_server: StubServer, tmp_path: Path) -> None:
    """Before anything else, a run only reads: what turns out to be no API was never asked to change."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        stub_server.respond(handler, 404)

    stub_server.answer = answer
    called("run", stub_server.url, ADMIN, "--quiet", "--select=ROUTE-01", "--out", str(tmp_path / "out"))
    assert stub_server.targets == ["/", "/v3", "/v3/apps?per_page=1", f"{EVENTS_PATH}?per_page=1"]


@pytest.mark.parametrize(("count", "code"), [(1, 0), (0, 1)])
def test_selfcheck_exits_by_the_matrix(count: int, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`selfcheck` exits with 0 where all is as it must be, else with 1, and says how to see it again."""
    (subject,) = select_servers(["purge-returns-data"])
    row = Row(subject, failed=subject.fails * count, requests=9, purges=1)
    made = Matrix("0", "1", {}, 1, (), "2026-07-01T12:00:00Z", 1.0, 2, (row,))

    def check(folder: Path, *, on_row: Callable[[Row, int, int], None], **_: object) -> Matrix:
        assert folder == tmp_path
        on_row(row, 1, 1)
        return made

    monkeypatch.setattr(checking, "check", check)
    done = called("selfcheck", "--out", str(tmp_path))
    assert done.exit_code == code, done.output
    assert ("survived" in done.output) == ("--only purge-returns-data" in done.output) == bool(code)
    assert f"{count} of 1 fault killed" in done.output


def test_selfcheck_of_nothing_is_2(tmp_path: Path) -> None:
    """`selfcheck` of what does not exist is misuse."""
    done = called("selfcheck", "--only", "no-such-fault", "--out", str(tmp_path))
    assert (done.exit_code, "matches no fault" in done.output) == (2, True)
