"""Failures of many kinds show again: by `reproduce` and by the script; on a faultless server, neither shows them."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import pytest

from purge_conformance.engine import reference_process
from purge_conformance.evidence.jsonl import read
from purge_conformance.report import json as as_json
from purge_conformance.report.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from meta.support.command import CommandResult

# fault -> the requirement that it fails; one of each kind
FAULTS = {
    "keeps-oldest-event": "PURGE-03",  # state
    "misses-apps-without-instances": "SEED-01",  # seeding
    "scale-not-recorded": "AFTER-03",  # recording
    "guids-filter-ignored": "LIST-09",  # list
    "change-after-busy-purge-lost": "RACE-03",  # race
    "parallel-purges-answer-bare-500": "PARALLEL-05",  # concurrent purges
    "app-started-twice-not-seeded": "MODEL-01",  # sequence
    "admin-read-only-may-purge": "AUTH-07",  # authorization
    "forbidden-purge-destroys": "REFUSE-02",  # rejected purge
    "code-of-422-null": "ERROR-05",  # error envelope
    "html-first-406": "HEADER-01",  # header
}


class Server(NamedTuple):
    """A reference server with a fault at each path, and none at its root: its URL, and role -> token."""

    url: str
    tokens: Mapping[str, str]

    @property
    def flags(self) -> list[str]:
        """The flags that give a command the tokens."""
        return [f"--token={role}=env:{role.upper()}_TOKEN" for role in self.tokens]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that hold them."""
        return os.environ | {f"{role.upper()}_TOKEN": token for role, token in self.tokens.items()}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The server of these tests."""
    with reference_process.server([word for name in FAULTS for word in ("--mount", name)]) as (url, tokens):
        yield Server(url, tokens)


@pytest.fixture(scope="module")
def report_of(
    server: Server, command: Callable[..., CommandResult], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """The function that returns the folder of a run against a fault, of its requirement alone."""

    @cache
    def judge(fault: str) -> Path:
        out = tmp_path_factory.mktemp("report") / "out"
        flags = (f"--select={FAULTS[fault]}", "--quiet", "--out", out)
        done = command("run", f"{server.url}/{fault}", *server.flags, *flags, folder=out, env=server.environment)
        assert done.outcomes == {FAULTS[fault]: "failed"}, done
        return out

    return judge


@pytest.mark.parametrize("fault", FAULTS)
def test_failure_is_reproduced(
    fault: str, server: Server, report_of: Callable[[str], Path], command: Callable[..., CommandResult], tmp_path: Path
) -> None:
    """`reproduce` says that the failure occurred again, and on a faultless server that it did not, with few purges."""
    name = FAULTS[fault]
    whole = as_json.load(report_of(fault)).purges
    often = "2" if fault == "keeps-oldest-event" else "1"
    for times, flags, code in ((often, (), 1), ("1", (f"--target={server.url}",), 0)):
        out = tmp_path / str(code)
        words = ("reproduce", report_of(fault), name, "--times", times, *server.flags, *flags, "--out", out)
        done = command(*words, folder=tmp_path, env=server.environment)
        assert done.code == code, done
        last = done.stdout.splitlines()[-1]
        assert last.startswith(f"{name} failed again in {int(times) * code} of {times} "), done
        tries = sorted(out.glob("try-?"))
        assert len(tries) == int(times)
        assert all(as_json.load(folder).purges <= whole for folder in tries)
        assert all((folder / "archive.jsonl.gz").exists() for folder in tries)


def script_of(folder: Path) -> str:
    """Return the script of the only requirement that failed."""
    (script,) = (folder / "scripts").iterdir()
    text = script.read_text(encoding="utf-8")
    (result,) = (r for r in as_json.load(folder).requirements if r.outcome is Outcome.FAILED)
    assert (result.findings[0].script, script.name) == (text, f"{result.id}.sh")
    return text


def paste(script: str, shell: str, server: Server, path: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a script as text that a user pastes into a shell."""
    consent = {"I_AGREE_TO_DESTROY": server.url.removeprefix("http://"), "API": f"{server.url}{path}"}
    return subprocess.run(
        [shell],
        input=script,
        cwd=cwd,
        env=server.environment | consent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(("fault", "shell"), list(zip(FAULTS, ["dash", "bash"] * len(FAULTS), strict=False)))
def test_script_shows_failure(
    fault: str, shell: str, server: Server, report_of: Callable[[str], Path], tmp_path: Path
) -> None:
    """A pasted script shows the failure on the faulty server, and none on the faultless one; it has no token."""
    script = script_of(report_of(fault))
    assert not [token for token in server.tokens.values() if token in script]
    faulty = paste(script, shell, server, f"/{fault}", tmp_path)
    assert (faulty.returncode, "THE FAILURE SHOWS:" in faulty.stdout) == (1, True), faulty
    faultless = paste(script, shell, server, "", tmp_path)
    assert (faultless.returncode, faultless.stdout.splitlines()[-1]) == (0, "The failure does not show."), faultless
    purges = "purge" in script.split("\n")[3]
    assert len(list(tmp_path.glob("events-*.jsonl"))) == (2 if purges and "sends no purge." not in script else 0)


def test_script_deletes_its_apps(server: Server, report_of: Callable[[str], Path], tmp_path: Path) -> None:
    """A script leaves no app, no space and no organization."""
    script = script_of(report_of("keeps-oldest-event"))
    look = f'curl -sS -H "Authorization: bearer $ADMIN_TOKEN" {server.url}/v3/organizations {server.url}/v3/apps'
    before = paste(look, "sh", server, "", tmp_path).stdout
    assert paste(script, "sh", server, "", tmp_path).returncode == 0
    assert paste(look, "sh", server, "", tmp_path).stdout == before


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"I_AGREE_TO_DESTROY": ""}, "export I_AGREE_TO_DESTROY=127.0.0.1:"),
        ({"I_AGREE_TO_DESTROY": "example.org"}, "export I_AGREE_TO_DESTROY=127.0.0.1:"),
        ({"ADMIN_TOKEN": ""}, "ADMIN_TOKEN is not set"),
    ],
)
def test_script_needs_consent_and_tokens(
    changes: dict[str, str], words: str, server: Server, report_of: Callable[[str], Path], tmp_path: Path
) -> None:
    """Without consent for that host, or without a token, a script sends nothing and exits with 2."""
    script = script_of(report_of("keeps-oldest-event"))
    assert "sends 1 purge." in script.splitlines()[3]
    lines = "".join(f"export {name}={value}\n" for name, value in changes.items())
    done = paste(lines + script, "sh", server, "", tmp_path)
    assert (done.returncode, words in done.stderr) == (2, True), done
    assert not list(tmp_path.iterdir())


def test_folder_keeps_evidence_for_each_try(report_of: Callable[[str], Path]) -> None:
    """The evidence beside the reports has the exchange that the script names."""
    folder = report_of("keeps-oldest-event")
    (result,) = as_json.load(folder).requirements
    number = result.findings[0].exchange
    assert f"exchange {number} of the run" in script_of(folder)
    assert any(x.n == number for x in read(folder).exchanges)
