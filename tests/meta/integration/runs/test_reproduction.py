"""Failures of many kinds show again: by `reproduce` and by the script; on a faultless server, neither shows them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import pytest

from meta.support.invoke import invoke
from meta.support.results import make_run
from meta.support.story import EvidenceBuilder
from purge_conformance.catalogue.lookup import find_requirement
from purge_conformance.engine import reference_process
from purge_conformance.engine.reproduce import Ending, Failure, attempts, options_of, restricted
from purge_conformance.engine.session import FrontEnd
from purge_conformance.evidence.jsonl import read
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.report import json as as_json
from purge_conformance.report.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from meta.support.command import CommandResult
    from purge_conformance.config.loader import Options

# fault -> the requirement that it fails, and the scenario that shows it, None: any that judges it; one of each kind
FAULTS = {
    "keeps-oldest-event": ("PURGE-03", Scenario.PURGE),  # state
    "misses-apps-without-instances": ("SEED-01", Scenario.PURGE),  # seeding
    "scale-not-recorded": ("AFTER-03", Scenario.APP_CHANGES),  # recording
    "guids-filter-ignored": ("LIST-09", Scenario.LISTS),  # list
    "change-after-busy-purge-lost": ("RACE-03", Scenario.RACE),  # race
    "parallel-purges-answer-bare-500": ("PARALLEL-05", Scenario.CONCURRENT_PURGES),  # concurrent purges
    "app-started-twice-not-seeded": ("MODEL-01", Scenario.SEQUENCES),  # sequence
    "admin-read-only-may-purge": ("AUTH-07", Scenario.REJECTED_PURGES),  # authorization
    "forbidden-purge-destroys": ("REFUSE-02", Scenario.REJECTED_PURGES),  # rejected purge
    "code-of-422-null": ("ERROR-05", Scenario.LISTS),  # error envelope
    "html-first-406": ("HEADER-01", None),  # header
    "conflict-destroys": ("REFUSE-08", Scenario.INDUCED_ERRORS),  # an error that a hook induces
    "unavailable-purge-half-done": ("BODY-03", Scenario.INDUCED_ERRORS),  # a failure that a hook induces
}
BY_COMMAND = "keeps-oldest-event"  # whose report is that of `run`; the others are those of a reproduction
ON_FAULTLESS = (BY_COMMAND, "parallel-purges-answer-bare-500", "conflict-destroys")  # where `reproduce` is tried, too
QUIET = FrontEnd(lambda _: None, lambda _: None, lambda *_: pytest.fail("aborted"), rehearse=lambda _: None)


class Server(NamedTuple):
    """A reference server with a fault at each path, and none at its root: its URL, and role -> token."""

    url: str
    tokens: Mapping[str, str]

    @property
    def flags(self) -> list[str]:
        """The flags that give a command the tokens."""
        return [f"--token={role}=env:{role.upper()}_TOKEN" for role in self.tokens]

    @property
    def variables(self) -> dict[str, str]:
        """The variables that hold them."""
        return {f"{role.upper()}_TOKEN": token for role, token in self.tokens.items()}

    def options(self, fault: str) -> Options:
        """The options of a run against a fault."""
        sources = {role: f"env:{role.upper()}_TOKEN" for role in self.tokens}
        return {"tokens": sources, "hook": reference_process.hook_url(f"{self.url}/{fault}"), "max_purges": 40}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The server of these tests; the environment has its tokens."""
    mounts = [word for name in FAULTS for word in ("--mount", name)]
    with reference_process.server(mounts) as (url, tokens), pytest.MonkeyPatch.context() as patch:
        found = Server(url, tokens)
        for name, value in found.variables.items():
            patch.setenv(name, value)
        yield found


@pytest.fixture(scope="module")
def report_of(
    server: Server, command: Callable[..., CommandResult], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """The function that returns the folder of a run against a fault, of its requirement alone."""

    @cache
    def judge(fault: str) -> Path:
        name, scenario = FAULTS[fault]
        out = tmp_path_factory.mktemp("report") / "out"
        if fault == BY_COMMAND:
            flags = (f"--select={name}", "--quiet", "--out", out)
            done = command("run", f"{server.url}/{fault}", *server.flags, *flags, folder=out)
            assert done.outcomes == {name: "failed"}, done
            return out
        builder = EvidenceBuilder()
        shown = builder.add_exchange(scenario, Step.PURGE) if scenario else None  # what a report of this scenario names
        run = replace(make_run(), target=f"{server.url}/{fault}", settings={})
        failure = Failure(find_requirement(name), run, shown)
        options = restricted(options_of(failure, server.options(fault)), failure.scenarios)
        (tried,) = islice(attempts(failure, options, out, (), QUIET), 1)
        assert tried.ending is Ending.FAILED_AGAIN, tried
        return tried.folder

    return judge


@pytest.mark.parametrize("fault", FAULTS)
def test_failure_is_reproduced(fault: str, server: Server, report_of: Callable[[str], Path], tmp_path: Path) -> None:
    """`reproduce` says that the failure occurred again, and on a faultless server that it did not, with few purges."""
    name, report = FAULTS[fault][0], report_of(fault)
    often = "2" if fault == BY_COMMAND else "1"
    tried = [(often, fault, 1), *([("1", "", 0)] if fault in ON_FAULTLESS else [])]
    for times, path, code in tried:
        url, out = f"{server.url}/{path}".rstrip("/"), tmp_path / str(code)
        flags = (f"--target={url}", f"--hook={reference_process.hook_url(url)}", "--out", str(out))
        done = invoke("reproduce", str(report), name, "--times", times, *server.flags, *flags)
        assert done.exit_code == code, done.output
        last = done.output.splitlines()[-1]
        assert last.startswith(f"{name} failed again in {int(times) * code} of {times} "), done.output
        tries = sorted(out.glob("try-?"))
        assert len(tries) == int(times)
        assert all(as_json.load(folder).purges <= as_json.load(report).purges for folder in tries)
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
    consent["PURGE_CONFORMANCE_HOOK"] = reference_process.hook_url(f"{server.url}{path}")
    return subprocess.run(
        [shell],
        input=script,
        cwd=cwd,
        env=os.environ | consent,
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
