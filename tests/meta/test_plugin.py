"""The plugin: the same judgments under plain pytest, and a crash accuses the suite."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from purge_conformance.config.options import KEYS
from purge_conformance.engine import reference_process as embedded
from purge_conformance.evidence import records as evidence

if TYPE_CHECKING:
    from meta.support.command import FullRun
    from meta.support.stub import StubServer

ROOM = Path(__file__).parents[1] / "conformance"
CRASHING = """
import pytest
from purge_conformance.checks import Broken, Inconclusive, NotExercised
from purge_conformance.results import Blame, Finding

@pytest.mark.requirement("PURGE-01")
def test_crash(seen): raise KeyError("guid")

@pytest.mark.requirement("PURGE-02")
def test_broken(seen): raise Broken((Finding("nothing", "something", 1),))

@pytest.mark.requirement("PURGE-03")
def test_missing(no_such_fixture): pass

@pytest.mark.requirement("PURGE-04")
def test_open(seen): raise NotExercised("no event", Blame.CONFIGURATION)

@pytest.mark.requirement("PURGE-05")
def test_good(seen): seen.of("purge")

@pytest.mark.requirement("REFUSE-05")
def test_advice(seen): raise Broken((Finding("405", "418"),))
"""


def pytest_of(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run plain pytest, as people do who live there."""
    command = [sys.executable, "-m", "pytest", *map(str, arguments)]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=120, check=False
    )


def outcomes(folder: Path) -> dict[str, str]:
    """Return the outcome of each requirement in a folder of reports."""
    rows = json.loads((folder / "report.json").read_text(encoding="utf-8"))["requirements"]
    return {row["id"]: row["outcome"] for row in rows}


def test_no_target_is_4() -> None:
    """Without a target pytest stops with one plain sentence, and exits with 4."""
    done = pytest_of(ROOM)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "ERROR: What is to be judged? Give --target URL" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target=http://127.0.0.1:1"], "No token of an admin"),
        (["--target=https://api.example.org", "--token=admin=env:T"], "--allow-purge api.example.org"),
        (["--target=http://127.0.0.1:1", "--evidence=/tmp"], "What is to be judged?"),
        (["--evidence=/no/such/folder"], "holds no evidence.jsonl"),
        (["--target=http://[::1", "--token=admin=env:T"], "is not a URL"),
        (["--target=http://127.0.0.1:1", "--conformance-seed=x"], "--conformance-seed: 'x' is not a whole number"),
    ],
)
def test_misuse_is_4(arguments: list[str], words: str) -> None:
    """What cannot be judged is a usage error of pytest, in one sentence."""
    done = pytest_of(ROOM, *arguments, T="opaque")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert words in done.stdout + done.stderr


def test_pytest_gives_same_outcomes(
    reference_server: tuple[str, dict[str, str]], full_run: FullRun, tmp_path: Path
) -> None:
    """Plain pytest against a server gives the outcomes that the command gave, from the same generated requests."""
    url, tokens = reference_server
    roles = [role for role in tokens if role in full_run.tokens]
    sources = [f"--token={role}=env:{role.upper()}_SECRET" for role in roles]
    profiles = ["--conformance-profile=core", "--conformance-profile=upstream"]
    done = pytest_of(
        *(str(ROOM), f"--target={url}", *sources, *profiles, f"--conformance-out={tmp_path}"),
        f"--conformance-hook={embedded.hook_url(url)}",
        **{f"{role.upper()}_SECRET": tokens[role] for role in roles},
    )
    assert done.returncode == 0, done.stdout
    assert outcomes(tmp_path) == full_run.outcomes


def test_every_key_is_a_flag() -> None:
    """Plain pytest has a flag for each key of the table, and for each flag of `run` that way."""
    shown = pytest_of(ROOM, "--help").stdout
    assert [key.name for key in KEYS if not re.search(rf"^  {key.pytest_option}\b", shown, re.MULTILINE)] == []


def test_flags_arrive(stub_server: StubServer, tmp_path: Path) -> None:
    """What the flags say is what the run is asked for; a switch and a repeated one too."""
    given = {"apps": "observe", "examples": "3", "max-purges": "0", "max-requests": "60", "timeout": "9.5", "seed": "7"}
    flags = [f"--conformance-{name}={value}" for name, value in given.items()]
    more = ["--conformance-select=PURGE-01,PURGE-02", "--conformance-select=SEED-01", "--conformance-insecure"]
    own = (f"--target={stub_server.url}", "--token=admin=env:T", f"--conformance-out={tmp_path}")
    pytest_of(ROOM, *own, *flags, *more, T="opaque")
    told = evidence.read(tmp_path).header.settings
    asked = {name.replace("-", "_"): value for name, value in given.items()}
    assert {name: str(told[name]) for name in asked} == asked
    assert (told["select"], told["transport"]) == (["PURGE-01", "PURGE-02", "SEED-01"], {"insecure": True})


@pytest.mark.parametrize("flag", ["--conformance-fingerprint=" + "0" * 64, "--conformance-apps=hook"])
def test_pytest_is_as_careful(flag: str, stub_server: StubServer, tmp_path: Path) -> None:
    """Another foundation than the pinned one, and apps of a hook that is not there, are misuse here as well."""
    stub_server.answer = lambda handler: stub_server.respond(handler, body=b'{"links": {"self": {"href": "x"}}}')
    done = pytest_of(
        ROOM, f"--target={stub_server.url}", "--token=admin=env:T", flag, f"--conformance-out={tmp_path}", T="opaque"
    )
    assert (done.returncode, stub_server.purges) == (pytest.ExitCode.USAGE_ERROR, 0)
    assert flag.split("=", maxsplit=1)[0].removeprefix("--conformance-") in done.stdout + done.stderr


def test_collecting_sends_nothing() -> None:
    """`--collect-only` lists the judgments and sends nothing, so that it needs no target."""
    done = pytest_of(ROOM, "--collect-only", "-q")
    assert done.returncode == 0
    assert len(re.findall(r"::test_\w+$", done.stdout, re.MULTILINE)) > 80


@pytest.fixture(scope="module")
def crashed(
    full_run: FullRun, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Judgments that end in every way, one of them in a crash."""
    folder = tmp_path_factory.mktemp("crashed")
    (folder / "test_crash.py").write_text(CRASHING, encoding="utf-8")
    options = [f"--evidence={full_run.folder}", f"--conformance-out={folder / 'out'}", "-c", str(ROOM / "pytest.ini")]
    return folder / "out", pytest_of(folder / "test_crash.py", *options, "--conformance-select=*E-0*")


def test_crash_blames_suite(crashed: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """A judgment that crashes, or cannot even begin, is inconclusive and blamed on the suite, never failed."""
    rows = {row["id"]: row for row in json.loads((crashed[0] / "report.json").read_text())["requirements"]}
    for name in ("PURGE-01", "PURGE-03"):
        assert (rows[name]["outcome"], rows[name]["cause"], rows[name]["findings"]) == ("inconclusive", "suite", [])
        assert "Please report it" in rows[name]["reason"]


def test_each_end_is_shown(crashed: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """Pytest shows each outcome by its own name; a SHOULD that fails is advice."""
    last = crashed[1].stdout.rstrip().splitlines()[-1]
    for words in ("1 failed", "1 passed", "1 advised", "2 inconclusive", "1 not exercised"):
        assert words in last
    assert crashed[1].returncode == 1


def test_one_pytest_judges_many(full_run: FullRun, tmp_path: Path) -> None:
    """Several runs are judged side by side, each with reports of its own; the worst verdict decides the exit code."""
    for name in ("one", "other"):
        shutil.copytree(full_run.folder, tmp_path / name)
    with (tmp_path / "other" / "evidence.jsonl").open("a", encoding="utf-8") as file:
        unusable = {"blame": "target", "reason": "planted"}
        file.write(json.dumps({"kind": "note", "experiment": "e", "name": "unusable", "value": unusable}) + "\n")
    folders = [f"--evidence={tmp_path / name}" for name in ("one", "other")]
    done = pytest_of(ROOM, "-v", *folders, f"--conformance-out={tmp_path / 'out'}", "--conformance-select=PURGE-0*")
    assert done.returncode == 3, done.stdout
    assert set(outcomes(tmp_path / "out" / "one").values()) == {"passed"}
    assert set(outcomes(tmp_path / "out" / "other").values()) == {"inconclusive"}
    assert "test_purge_succeeds[other]" in done.stdout


def test_runs_of_one_name_are_4(tmp_path: Path) -> None:
    """Two runs whose reports would be one are a usage error."""
    done = pytest_of(ROOM, f"--evidence={tmp_path / 'a' / 'run'}", f"--evidence={tmp_path / 'b' / 'run'}")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "have the same name" in done.stdout + done.stderr


def test_unknown_requirement_is_4(full_run: FullRun, tmp_path: Path) -> None:
    """A judgment of a requirement that does not exist is a usage error when it is collected."""
    (tmp_path / "test_it.py").write_text(CRASHING.replace("PURGE-01", "PURGE-99"), encoding="utf-8")
    done = pytest_of(tmp_path, f"--evidence={full_run.folder}", "-c", ROOM / "pytest.ini")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "PURGE-99: no such requirement" in done.stdout + done.stderr


def test_other_tests_are_left_alone(tmp_path: Path) -> None:
    """Where no judgment is collected the plugin does nothing: it loads in every pytest of the environment."""
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n", encoding="utf-8")
    assert pytest_of(tmp_path, "-c", ROOM / "pytest.ini").returncode == 0


@pytest.mark.parametrize("chosen", ["-k=purge_succeeds", "--deselect=x"])
def test_choice_of_pytest_counts(chosen: str, full_run: FullRun, tmp_path: Path) -> None:
    """What -k leaves out is neither judged nor held against the run."""
    options = [f"--evidence={full_run.folder}", f"--conformance-out={tmp_path}", "--conformance-select=PURGE-0[12]"]
    done = pytest_of(ROOM, *options, chosen)
    assert done.returncode == 0
    assert outcomes(tmp_path)["PURGE-01"] == "passed"
    assert ("PURGE-02" in outcomes(tmp_path)) == (not chosen.startswith("-k"))
