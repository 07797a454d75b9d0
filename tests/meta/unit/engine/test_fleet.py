"""A fleet before and after its runs: what is refused before one starts, what each gets, and what came of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from meta.support.reports import report, row, write_report
from meta.support.root_document import root_document
from purge_conformance.config.fleet import FleetTarget, load
from purge_conformance.engine.fleet import checks, run
from purge_conformance.engine.fleet.processes import Ended, Task
from purge_conformance.errors import BadSetting, ConsentMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from meta.support.stub import StubServer
    from purge_conformance.engine.fleet.target_run import TargetRun
    from purge_conformance.report.fleet import Fleet

LOCAL = "http://127.0.0.1:1"
KILLED = -9


def fleet_of(folder: Path, *rows: str) -> tuple[FleetTarget, ...]:
    """Return the targets of a file with these entries, each with a token of its own."""
    entries = [f"  - {{name: t{n}, tokens: {{admin: 'env:TOKEN_{n}'}}, {each}}}\n" for n, each in enumerate(rows, 1)]
    path = folder / "fleet.yaml"
    path.write_text(f"targets:\n{''.join(entries)}", encoding="utf-8")
    return load(path)


def test_variables_set_no_option(tmp_path: Path) -> None:
    """A variable of the suite is refused, with the key to write instead; one that holds a token is not."""
    targets = fleet_of(tmp_path, f"url: '{LOCAL}'")
    checks.require_no_variables(targets, {"PATH": "/bin", "TOKEN_1": "a"})
    with pytest.raises(BadSetting, match=r"PURGE_CONFORMANCE_MAX_PURGES is set.*write `max_purges:` there instead"):
        checks.require_no_variables(targets, {"PURGE_CONFORMANCE_MAX_PURGES": "1"})
    named = replace(targets[0], options={"tokens": {"admin": "env:PURGE_CONFORMANCE_ADMIN"}})
    checks.require_no_variables([named], {"PURGE_CONFORMANCE_ADMIN": "a"})


def test_settings_name_the_line(tmp_path: Path) -> None:
    """Options that contradict each other, and a token in place of its source, are refused with the line."""
    for entry in ("apps: {mode: hook}", "repeat: 2, max_purges: 1"):
        with pytest.raises(BadSetting, match=r"fleet.yaml, line 2 \(t1\): "):
            checks.settings_of(fleet_of(tmp_path, f"url: '{LOCAL}', {entry}"))
    path = tmp_path / "fleet.yaml"
    path.write_text(f"targets:\n  - {{name: t1, url: '{LOCAL}', tokens: {{admin: s3cr3t}}}}\n", encoding="utf-8")
    with pytest.raises(BadSetting, match=r"line 2 \(t1\): The source of the token of admin is not valid") as error:
        checks.settings_of(load(path))
    assert "s3cr3t" not in str(error.value)


def test_each_remote_host_needs_consent(tmp_path: Path) -> None:
    """A target on another machine needs its own host, in its entry or by flag; one message names all that lack it."""
    targets = fleet_of(
        tmp_path,
        "url: 'https://a.example', allow_purge: A.example",
        "url: 'https://b.example', allow_purge: a.example",
        "url: 'https://c.example'",
        "url: 'https://d.example', profile: observe-only",
        f"url: '{LOCAL}'",
    )
    settings = checks.settings_of(targets)
    with pytest.raises(ConsentMissing) as error:
        checks.require_consents(targets, settings, ())
    assert "t2 needs `allow_purge: b.example`" in str(error.value)
    assert "t3 needs `allow_purge: c.example`" in str(error.value)
    assert not [n for n in (1, 4, 5) if f"t{n} needs" in str(error.value)]
    checks.require_consents(targets, settings, ("b.example", "c.example"))


def test_one_foundation_twice_is_refused(
    tmp_path: Path, stub_server: StubServer, second_stub_server: StubServer
) -> None:
    """Two URLs of one foundation are refused after one read of each root document, without a token."""
    for stub in (stub_server, second_stub_server):
        stub.answer = lambda handler, stub=stub: stub.respond(handler, body=root_document())  # type: ignore[misc]
    targets = fleet_of(tmp_path, f"url: '{stub_server.url}'", f"url: '{second_stub_server.url}'", f"url: '{LOCAL}'")
    with pytest.raises(BadSetting, match=r"line 3 \(t2\): it is the same foundation as t1 .*, line 2\)"):
        checks.require_different_foundations(targets, checks.settings_of(targets))
    for stub in (stub_server, second_stub_server):
        ((line, headers),) = stub.received
        assert (line, "Authorization" in headers) == ("GET / HTTP/1.1", False)


def test_other_foundations_pass(tmp_path: Path, stub_server: StubServer, second_stub_server: StubServer) -> None:
    """Targets without links, and those that do not answer, are not compared."""
    targets = fleet_of(tmp_path, f"url: '{stub_server.url}'", f"url: '{second_stub_server.url}'", f"url: '{LOCAL}'")
    checks.require_different_foundations(targets, checks.settings_of(targets))


def test_environment_has_own_tokens_only(tmp_path: Path) -> None:
    """The run of a target gets neither the tokens of others nor the variables of the suite."""
    one, two = fleet_of(tmp_path, f"url: '{LOCAL}'", "url: 'http://127.0.0.1:2'")
    environ = {"TOKEN_1": "a", "TOKEN_2": "b", "PATH": "/bin", "GITHUB_STEP_SUMMARY": "/x", "PURGE_CONFORMANCE_X": "y"}
    plan = run.FleetPlan((one, two), checks.settings_of((one, two)), tmp_path)
    for number, own in enumerate(({"TOKEN_1": "a"}, {"TOKEN_2": "b"})):
        needed = run.target_run(plan, number, environ)
        assert needed.variables == own
        assert needed.environment(environ) == {**own, "PATH": "/bin"}


@pytest.mark.parametrize("name", ["fleet.json", "t1/run.log", "t1/evidence.jsonl"])
def test_used_folder_is_refused(name: str, tmp_path: Path) -> None:
    """A folder with a fleet, or with a run of one of the targets, is not used again."""
    targets = fleet_of(tmp_path, f"url: '{LOCAL}'")
    run.require_unused(tmp_path / "out", targets)
    (tmp_path / "out" / name).parent.mkdir(parents=True)
    (tmp_path / "out" / name).touch()
    with pytest.raises(BadSetting, match="Name another folder with --out"):
        run.require_unused(tmp_path / "out", targets)


class FakeRunner:
    """Starts no process: each run ends as a test says."""

    is_closed = False

    def __init__(self, *ends: Callable[[Path], Ended]) -> None:
        """Take what makes the end of each run, given its folder."""
        self.ends = ends
        self.tasks: list[Task] = []
        self.configs: list[object] = []

    def run(self, runs: Sequence[TargetRun], folder: Path, on_start: object, on_end: object) -> list[Ended]:
        """Remember the processes that the runs would be, and return their ends."""
        del on_start, on_end
        with TemporaryDirectory() as place:
            self.tasks = [each.task(folder / each.name, Path(place)) for each in runs]
            files = [next(word for word in task.command if word.startswith("--config=")) for task in self.tasks]
            self.configs = [json.loads(Path(file.partition("=")[2]).read_text(encoding="utf-8")) for file in files]
        return [end(folder / each.name) for each, end in zip(runs, self.ends, strict=True)]

    def end(self, number: int) -> None:
        """Never be called."""
        raise AssertionError(number)


def run_fake(folder: Path, *ends: Callable[[Path], Ended]) -> tuple[Fleet, FakeRunner]:
    """Return the fleet of runs that end so, and what would have run them."""
    targets = fleet_of(folder, *(f"url: 'http://127.0.0.1:{n}'" for n, _ in enumerate(ends, 1)))
    runner = FakeRunner(*ends)

    def abort() -> NoReturn:
        raise AssertionError

    front_end = run.FleetFrontEnd(lambda _: None, lambda *_: None, abort)
    plan = run.FleetPlan(targets, checks.settings_of(targets), folder / "out", ("--allow-purge=h",))
    return run.run_all(plan, runner, front_end), runner


def ended(
    code: int | None,
    rows: Sequence[dict[str, Any]] = (),
    log: str = "",
    problem: str = "",
    verdict: str = "non-conformant",
) -> Callable[[Path], Ended]:
    """Return what makes the end of a run with this exit code, which leaves a report and a log."""

    def end(folder: Path) -> Ended:
        if rows:
            write_report(folder, report(*rows, verdict=verdict))
        (folder / "run.log").write_text(log, encoding="utf-8")
        return Ended(code, 1.5, problem)

    return end


def test_each_target_gets_its_own(tmp_path: Path) -> None:
    """A run gets its URL, its options in a file, its folder, and the flags of the fleet."""
    fleet, runner = run_fake(tmp_path, ended(0), ended(0))
    for task, config, n in zip(runner.tasks, runner.configs, (1, 2), strict=True):
        words = list(task.command)
        assert words[words.index("run") + 1] == f"http://127.0.0.1:{n}"
        assert {f"--out={tmp_path}/out/t{n}", "--allow-purge=h"} <= set(words)
        assert config == {"tokens": {"admin": f"env:TOKEN_{n}"}}
        assert task.log == tmp_path / "out" / f"t{n}" / "run.log"
        assert task.limit > 1800
    assert [entry.name for entry in fleet.entries] == ["t1", "t2"]


def test_only_a_report_is_a_verdict(tmp_path: Path) -> None:
    """Exit codes 0 and 1 without a report, a killed process and an unknown code count as 3, with the reason."""
    rows = [row("SEED-01", "failed"), row("PURGE-01", "inconclusive")]
    fleet, _ = run_fake(
        tmp_path,
        ended(1, rows),
        ended(1),
        ended(KILLED),
        ended(77),
        ended(2, log="x\nError: The token is missing.\n  | more\n"),
        ended(None, problem="It was not started."),
        ended(3, rows),
    )
    assert [entry.exit_code for entry in fleet.entries] == [1, 3, 3, 3, 2, 3, 3]
    good, without, killed, _, refused, unstarted, undecided = fleet.entries
    assert (good.verdict, good.outcomes, good.reason) == (
        "non-conformant",
        {"SEED-01": "failed", "PURGE-01": "inconclusive"},
        "",
    )
    assert without.reason.startswith("Its report cannot be used: ")
    assert (killed.reason, refused.reason) == ("Its process was killed by signal 9.", "The token is missing.")
    assert (unstarted.reason, undecided.reason) == ("It was not started.", "target: It had no answer.")
    assert fleet.exit_code == 1


def test_broken_gate_is_named(tmp_path: Path) -> None:
    """An exit code of 1 beside a verdict that is not non-conformant says that the gate is broken."""
    fleet, _ = run_fake(tmp_path, ended(1, [row("SEED-01")], verdict="conformant"))
    (entry,) = fleet.entries
    assert (entry.exit_code, entry.verdict) == (1, "conformant")
    assert entry.reason == "Its gate is broken; its report says why."


def test_evidence_without_report_names_judge(tmp_path: Path) -> None:
    """A run that was killed after it had collected evidence names the command that judges it."""

    def end(folder: Path) -> Ended:
        (folder / "evidence.jsonl").touch()
        return Ended(KILLED)

    fleet, _ = run_fake(tmp_path, end)
    assert fleet.entries[0].reason.endswith(
        f"To judge what it collected: purge-conformance judge {tmp_path}/out/t1 --out NEW"
    )
