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
from purge_conformance.config.value_types import BOOLEAN, TOKEN_SOURCES
from purge_conformance.engine import signals as interrupts
from purge_conformance.engine import verdicts as judging
from purge_conformance.engine.collect import collect
from purge_conformance.engine.settings import build_settings as settings_of
from purge_conformance.errors import BadSetting
from purge_conformance.evidence.jsonl import FILE_NAME, read
from purge_conformance.report import terminal as as_terminal
from purge_conformance.report import write_all
from purge_conformance.report.model import EXIT_CODES, Outcome, Verdict
from purge_conformance.report.text import visible
from purge_conformance.target.consent import require_consent

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from purge_conformance.client.client import Client
    from purge_conformance.config.loader import Options
    from purge_conformance.engine.verdicts import RunBuilder
    from purge_conformance.evidence.records import Evidence, Exchange
    from purge_conformance.report.model import Result

    RunBuilders = dict[str, RunBuilder]  # by folder of evidence; "" where it was collected just now

VERDICT_ORDER = (Verdict.CONFORMANT, Verdict.INCONCLUSIVE, Verdict.NON_CONFORMANT)


def prepare_judging(option: Namespace, write_line: Callable[[str], None]) -> RunBuilders:
    """Collect the evidence from `--target`, or read each `--evidence`; `say` is told what is about to be destroyed.

    Raises:
        Misuse: neither or both are given, or one is not usable.
    """
    flags = _flags(option)
    values = flags if option.evidence else configuration.merge(flags, _path(option.conformance_config))
    if bool(values.get("target")) == bool(option.evidence):
        raise BadSetting("What is to be judged? Give --target URL and --token admin=SOURCE, or --evidence DIR.")
    option.conformance_out = values.get("out")
    names = [Path(name).name for name in option.evidence]
    if len(set(names)) < len(names):
        raise BadSetting("Two folders of --evidence have the same name. Their reports would be one; name them apart.")
    evidence_by_name = {name: read(Path(name)) for name in option.evidence} or {
        "": _collect_evidence(values, option, write_line)
    }
    return {name: _run_builder(evidence, flags) for name, evidence in evidence_by_name.items()}


def _run_builder(evidence: Evidence, flags: Options) -> RunBuilder:
    return judging.RunBuilder(
        evidence, judging.requirements_to_judge(evidence, flags.get("profile", ()), flags.get("select", ()))
    )


def _flags(option: Namespace) -> Options:
    """Return what pytest's command line says, by the name of its key.

    Raises:
        BadSetting: it says something else than that key can be.
    """
    values = {key: getattr(option, key.dest) for key in KEYS}
    return {key.name: _parse_flag(key, value) for key, value in values.items() if value is not None}


def _parse_flag(key: Key, value: Any) -> Any:  # noqa: ANN401 -- any value of a flag
    if key.value_type is BOOLEAN or key.value_type is TOKEN_SOURCES:
        return value
    try:
        return key.parse_flag(value)
    except ValueError as error:
        raise BadSetting(f"{key.pytest_option}: {error}. Mend it there.") from None


def _path(name: str | None) -> Path | None:
    return Path(name) if name else None


def _collect_evidence(values: Options, option: Namespace, write_line: Callable[[str], None]) -> Evidence:
    if Profile.OBSERVE_ONLY not in (values.get("profile") or ()):
        require_consent(parse_target(values["target"]), option.allow_purge)  # before anybody logs in
    settings = settings_of(values)
    folder = Path(option.conformance_out or mkdtemp(prefix="purge-conformance-"))
    write_line(announcement(settings, folder))
    guard = Guard.from_settings(settings)
    with interrupts.close_on_signal(guard, _interrupt):
        return collect(
            settings, folder, _no_progress, guard=guard, warn=lambda text: write_line(visible(f"Warning: {text}"))
        )


def _interrupt() -> NoReturn:
    raise KeyboardInterrupt


def _no_progress(_: Client, __: Exchange) -> None:
    """Show no progress: pytest shows its own."""


def pytest_outcome(result: Result) -> Literal["passed", "failed", "skipped"]:
    """Return what a result is for pytest: only a MUST that failed, or could not be told, is red."""
    if result.outcome is Outcome.PASSED:
        return "passed"
    is_red = result.outcome is not Outcome.NOT_EXERCISED and result.level is Level.MUST
    return "failed" if is_red else "skipped"


def explain(result: Result) -> str:
    """Return why a requirement did not pass; empty if it did."""
    if result.outcome is Outcome.PASSED:
        return ""
    head = f"{result.id} ({result.level}): {result.statement}"
    if result.reason:
        return f"{head}\n{result.outcome} ({result.cause}): {result.reason}"
    return "\n".join(
        [head, *(f"expected: {f.expected}\ngot:      {f.got}\n{f.script or f.curl or ''}" for f in result.findings)]
    )


def summary_lines(builders: RunBuilders, option: Namespace) -> list[str]:
    """Return the last lines on the terminal, of each run."""
    return [
        line for name, builder in builders.items() for line in _summary(builder, _report_folder(name, builders, option))
    ]


def _summary(builder: RunBuilder, folder: Path | None) -> list[str]:
    return [line.plain for line in as_terminal.lines(builder.build(), folder)]


def finish_judging(builders: RunBuilders, option: Namespace) -> int:
    """Write the reports where that was asked for; return the exit code of the worst verdict."""
    verdicts = {
        _write_reports(name, builder, _report_folder(name, builders, option)) for name, builder in builders.items()
    }
    return EXIT_CODES[max(verdicts, key=VERDICT_ORDER.index)]


def _write_reports(name: str, builder: RunBuilder, folder: Path | None) -> Verdict:
    run = builder.build()
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        if name and not (folder / FILE_NAME).exists():
            shutil.copyfile(Path(name) / FILE_NAME, folder / FILE_NAME)
        write_all(run, builder.evidence, folder)
    return run.verdict


def _report_folder(name: str, builders: RunBuilders, option: Namespace) -> Path | None:
    """Return where the reports of a run go; those of several get a folder each, named after that of the evidence."""
    out = option.conformance_out
    return Path(out, Path(name).name if len(builders) > 1 else "") if out else None
