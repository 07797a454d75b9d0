"""Usage errors: exit code 2 before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from meta.support.invoke import ADMIN, SECRET, invoke
from meta.support.root_document import root_document
from meta.support.uaa import PASSWORD
from purge_conformance.cli.group import main
from purge_conformance.engine.rehearsal import write_small_run

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.stub import StubServer
    from meta.support.tls import Authority


UNUSED = "http://127.0.0.1:1"  # nothing listens there
OTHER = "0" * 64


def test_existing_archive_is_not_overwritten(stub_server: StubServer, tmp_path: Path) -> None:
    """An existing archive is not overwritten."""
    (tmp_path / "events.jsonl.gz").write_bytes(b"precious")
    result = invoke("archive", stub_server.url, ADMIN, "--out", str(tmp_path / "events.jsonl.gz"))
    assert (result.exit_code, stub_server.received, (tmp_path / "events.jsonl.gz").read_bytes()) == (2, [], b"precious")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((UNUSED,), "There is no admin token"),
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
        ((ADMIN,), "--token, but no target"),
        (("--hook=http://127.0.0.1:9/hook",), "--hook, but no target"),
        (("--insecure",), "--insecure, but no target"),
        (("--proxy=http://127.0.0.1:9", "--allow-purge=x"), "--proxy, --allow-purge, but no target"),
    ],
)
def test_usage_error_exits_2(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    """A usage error exits with 2 and one plain sentence, before anything is written or sent."""
    result = invoke("run", *arguments, "--out", str(tmp_path / "out"))
    assert (result.exit_code, "Traceback" in result.output, (tmp_path / "out").exists()) == (2, False, False)
    assert words in result.output


def test_unconfirmed_host_receives_nothing(stub_server: StubServer, tmp_path: Path) -> None:
    """A host name that does not count as local gets no request without consent."""
    url = stub_server.url.replace("127.0.0.1", "127.1")
    assert invoke("run", url, ADMIN, "--out", str(tmp_path / "out")).exit_code == 2
    assert stub_server.received == []


def test_crash_exits_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of the suite exits with neither 0 nor 1, which are verdicts about the target."""

    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("purge_conformance.engine.session.log_in", broken)
    assert invoke("run", UNUSED, ADMIN, "--out", str(tmp_path / "out")).exit_code == 3


def test_used_folder_exits_2(tmp_path: Path) -> None:
    """A folder that holds a run is not overwritten."""
    (tmp_path / "evidence.jsonl").write_text("{}\n", encoding="utf-8")
    result = invoke("run", UNUSED, ADMIN, "--out", str(tmp_path))
    assert (result.exit_code, "another folder" in result.output) == (2, True)
    assert (tmp_path / "evidence.jsonl").read_text(encoding="utf-8") == "{}\n"


def test_empty_folder_exits_2(tmp_path: Path) -> None:
    """`judge` and `report` of a folder without a run exit with 2 and name the next step."""
    for arguments in (("judge", str(tmp_path), "--out", str(tmp_path / "out")), ("report", str(tmp_path))):
        result = invoke(*arguments)
        assert (result.exit_code, "the folder that a run wrote" in result.output) == (2, True)


def test_report_of_killed_run_exits_2(tmp_path: Path) -> None:
    """`report` of a run that was killed says so, and how to judge it."""
    write_small_run(tmp_path)
    path = tmp_path / "evidence.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-1]), encoding="utf-8")
    result = invoke("report", str(tmp_path))
    assert result.exit_code == 2
    assert "The run was killed: its evidence ends in scenario rejected-purges. It was not judged." in result.stderr
    assert f"purge-conformance judge {tmp_path} --out NEW" in result.stderr


def test_selfcheck_without_match_exits_2(tmp_path: Path) -> None:
    """`selfcheck` without a matching fault is a usage error."""
    result = invoke("selfcheck", "--only", "no-such-fault", "--out", str(tmp_path))
    assert (result.exit_code, "matches no fault" in result.output) == (2, True)


@pytest.mark.parametrize("body", [root_document(), b"<html>"])
def test_unpinned_target_is_not_purged(
    body: bytes, stub_server: StubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A target other than the pinned one exits with 2: one request without a token, and no folder."""
    stub_server.answer = lambda handler: stub_server.respond(handler, body=body)
    out = tmp_path / "out"
    monkeypatch.setenv("PURGE_CONFORMANCE_FINGERPRINT", OTHER)
    result = invoke("run", stub_server.url, ADMIN, "--allow-purge=api", "--out", str(out))
    assert (result.exit_code, out.exists(), [line for line, _ in stub_server.received]) == (
        2,
        False,
        ["GET / HTTP/1.1"],
    )
    assert "Authorization" not in stub_server.received[0][1]
    assert "got" in result.stderr
    assert f"expected the fingerprint {OTHER}" in result.stderr


@pytest.mark.parametrize("flag", ["--client-key={key}", "--ca-bundle=/no/such/file", "--proxy=ftp://proxy"])
def test_tls_usage_error_exits_2(flag: str, trusted_authority: Authority, stub_server: StubServer) -> None:
    """A key without its certificate, a file that is not there, or no proxy is a usage error, and nothing is sent."""
    result = CliRunner().invoke(
        main, ["doctor", stub_server.url, ADMIN, flag.format(key=trusted_authority.key)], env=SECRET
    )
    assert (result.exit_code, stub_server.received) == (2, []), result.output


def test_missing_consent_prevents_login() -> None:
    """Without consent to purge no request is sent, not even to a login."""
    line = ("run", "https://api.invalid", "--token=admin=uaa:password:admin:env:THE_PASSWORD")
    done = CliRunner().invoke(main, line, env={"THE_PASSWORD": PASSWORD})
    assert done.exit_code == 2
    assert "--allow-purge" in done.stderr
