"""What the pytest plugin does besides speaking to pytest: begin a run, explain its results, write its reports."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from purge_conformance.catalogue.model import Level, Profile
from purge_conformance.client.guard import Guard
from purge_conformance.config import loader as configuration
from purge_conformance.config.options import KEYS, Key
from purge_conformance.config.settings import announcement, parse_target
from purge_conformance.config.value_types import SOURCES, TRUTH
from purge_conformance.engine import signals as interrupts
from purge_conformance.engine import verdicts as judging
from purge_conformance.engine.collect import collect
from purge_conformance.engine.settings import settings as settings_of
from purge_conformance.errors import BadSetting
from purge_conformance.evidence.records import FILE_NAME, read
from purge_conformance.report import terminal as as_terminal
from purge_conformance.report import write_all
from purge_conformance.report.model import EXIT_CODES, Outcome, Verdict
from purge_conformance.report.text import visible
from purge_conformance.target.consent import require_consent

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from purge_conformance.client.client import Client
    from purge_conformance.config.loader import Given
    from purge_conformance.engine.verdicts import Judging
    from purge_conformance.evidence.records import Evidence, Exchange
    from purge_conformance.report.model import Result

    Judgings = dict[str, Judging]  # by folder of evidence; "" where it was collected just now

WORSE = (Verdict.CONFORMANT, Verdict.INCONCLUSIVE, Verdict.NON_CONFORMANT)


def begin(option: Namespace, say: Callable[[str], None]) -> Judgings:
    """Collect the evidence from `--target`, or read each `--evidence`; `say` is told what is about to be destroyed.

    Raises:
        Misuse: neither or both are given, or one is not usable.
    """
    flags = _flags(option)
    given = flags if option.evidence else configuration.merged(flags, _path(option.conformance_config))
    if bool(given.get("target")) == bool(option.evidence):
        raise BadSetting("What is to be judged? Give --target URL and --token admin=SOURCE, or --evidence DIR.")
    option.conformance_out = given.get("out")
    names = [Path(name).name for name in option.evidence]
    if len(set(names)) < len(names):
        raise BadSetting("Two folders of --evidence have the same name. Their reports would be one; name them apart.")
    seen = {name: read(Path(name)) for name in option.evidence} or {"": _collected(given, option, say)}
    return {name: _judging(evidence, flags) for name, evidence in seen.items()}


def _judging(evidence: Evidence, flags: Given) -> Judging:
    return judging.Judging(evidence, judging.wanted(evidence, flags.get("profile", ()), flags.get("select", ())))


def _flags(option: Namespace) -> Given:
    """Return what pytest's command line says, by the name of its key.

    Raises:
        BadSetting: it says something else than that key can be.
    """
    said = {key: getattr(option, key.dest) for key in KEYS}
    return {key.name: _read(key, value) for key, value in said.items() if value is not None}


def _read(key: Key, said: Any) -> Any:  # noqa: ANN401 -- any value of a flag
    if key.kind is TRUTH or key.kind is SOURCES:
        return said
    try:
        return key.said(said)
    except ValueError as error:
        raise BadSetting(f"{key.pytest_option}: {error}. Mend it there.") from None


def _path(name: str | None) -> Path | None:
    return Path(name) if name else None


def _collected(given: Given, option: Namespace, say: Callable[[str], None]) -> Evidence:
    if Profile.OBSERVE_ONLY not in (given.get("profile") or ()):
        require_consent(parse_target(given["target"]), option.allow_purge)  # before anybody logs in
    settings = settings_of(given)
    folder = Path(option.conformance_out or mkdtemp(prefix="purge-conformance-"))
    say(announcement(settings, folder))
    guard = Guard.of(settings)
    with interrupts.closing(guard, _leave):
        return collect(settings, folder, _silent, guard=guard, warn=lambda text: say(visible(f"Warning: {text}")))


def _leave() -> NoReturn:
    raise KeyboardInterrupt


def _silent(_: Client, __: Exchange) -> None:
    """Show no progress: pytest shows its own."""


def pytest_outcome(result: Result) -> Literal["passed", "failed", "skipped"]:
    """Return what a result is for pytest: only a MUST that failed, or could not be told, is red."""
    if result.outcome is Outcome.PASSED:
        return "passed"
    red = result.outcome is not Outcome.NOT_EXERCISED and result.level is Level.MUST
    return "failed" if red else "skipped"


def explain(result: Result) -> str:
    """Return why a requirement did not pass; empty if it did."""
    if result.outcome is Outcome.PASSED:
        return ""
    head = f"{result.id} ({result.level}): {result.statement}"
    if result.reason:
        return f"{head}\n{result.outcome} ({result.blame}): {result.reason}"
    return "\n".join(
        [head, *(f"expected: {f.expected}\ngot:      {f.got}\n{f.script or f.curl or ''}" for f in result.findings)]
    )


def closing_lines(judged: Judgings, option: Namespace) -> list[str]:
    """Return the last lines on the terminal, of each run."""
    return [line for name, one in judged.items() for line in _closing(one, _out(name, judged, option))]


def _closing(judged: Judging, folder: Path | None) -> list[str]:
    return [line.plain for line in as_terminal.lines(judged.run(), folder)]


def finish(judged: Judgings, option: Namespace) -> int:
    """Write the reports where that was asked for; return the exit code of the worst verdict."""
    verdicts = {_finish(name, one, _out(name, judged, option)) for name, one in judged.items()}
    return EXIT_CODES[max(verdicts, key=WORSE.index)]


def _finish(name: str, judged: Judging, folder: Path | None) -> Verdict:
    run = judged.run()
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        if name and not (folder / FILE_NAME).exists():
            shutil.copyfile(Path(name) / FILE_NAME, folder / FILE_NAME)
        write_all(run, judged.evidence, folder)
    return run.verdict


def _out(name: str, judged: Judgings, option: Namespace) -> Path | None:
    """Return where the reports of a run go; those of several get a folder each, named after that of the evidence."""
    out = option.conformance_out
    return Path(out, Path(name).name if len(judged) > 1 else "") if out else None
