"""What pytest's options ask for: a run against a target, or the evidence of one or more earlier runs."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from purge_conformance.analysis.view import JudgmentView
from purge_conformance.config import loader
from purge_conformance.config.options import KEYS, Key
from purge_conformance.config.value_types import BOOLEAN, TOKEN_SOURCES
from purge_conformance.engine import prerequisites, rehearsal
from purge_conformance.engine.promises import read_promises
from purge_conformance.engine.run_folder import keep_evidence
from purge_conformance.engine.scope import expected_in, requirements_in, scope_to_judge
from purge_conformance.engine.session import (
    FrontEnd,
    collect_evidence,
    exit_code,
    prepare_run,
    start_judging,
    write_reports,
)
from purge_conformance.engine.signals import write_stderr
from purge_conformance.errors import BadSetting, ReportsNotWritten
from purge_conformance.evidence.jsonl import FILE_NAME, read
from purge_conformance.evidence.safe_text import printable
from purge_conformance.report import REQUIRED, formats, junit, terminal
from purge_conformance.report.grouping import by_steps, distinct_findings
from purge_conformance.report.model import EXIT_CODES, Outcome, Verdict, is_red
from purge_conformance.report.scripts import file_name
from purge_conformance.target import archive

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Collection, Iterable

    from purge_conformance.catalogue.model import Requirement
    from purge_conformance.config.loader import Options
    from purge_conformance.engine.verdicts import RunBuilder
    from purge_conformance.evidence.records import Evidence
    from purge_conformance.report.formats import Output
    from purge_conformance.report.model import Result, Run

    RunBuilders = dict[str, RunBuilder]  # by folder of evidence; "" where this pytest collected it

COLLECTED = "conformance_folder"  # the option that says where this pytest collected the evidence


@dataclass(frozen=True, slots=True)
class Preparation:
    """What pytest will judge.

    Attributes:
        expected: folder of evidence, "" where this pytest collects it -> the requirements to judge, by id.
        start: returns what gathers the results of each run, once it has collected the evidence if it has to. It gets
            what prints a line on pytest's terminal, and the ids of the judgments that pytest's own selection left, and
            raises a UsageError if the run is refused.
        needs_judgments: whether there is nothing to start if no judgment is left.
    """

    expected: dict[str, dict[str, Requirement]]
    start: Callable[[Callable[[str], None], Collection[str]], RunBuilders]
    needs_judgments: bool = False


def prepare_judging(option: Namespace) -> Preparation:
    """Read the options, and the evidence of each `--evidence`; send nothing.

    Args:
        option: pytest's options; `conformance_out` is set to the folder of the reports.

    Raises:
        UsageError: an option is not usable, not exactly one of `--target` and `--evidence` was given, or the reports
            would be written beside the evidence of another run.
    """
    if sys.flags.optimize:
        raise BadSetting(
            "pytest runs in a Python that removes assertions, so a judgment could pass that fails. Run it without -O, "
            "and unset PYTHONOPTIMIZE."
        )
    flags = _flags(option)
    values = flags if option.evidence else loader.merge(flags, _path(option.conformance_config))
    if bool(values.get("target")) == bool(option.evidence):
        got = "both a target and --evidence" if option.evidence else "neither a target nor --evidence"
        raise BadSetting(f"pytest got {got}. Give --target URL and --token admin=SOURCE, or else --evidence DIR.")
    option.conformance_out = values.get("out")
    names = [Path(name).name for name in option.evidence]
    if len(set(names)) < len(names):
        raise BadSetting(
            "Two --evidence folders have the same name, so their reports would overwrite each other. Rename one."
        )
    option.conformance_format = outputs = formats.outputs(values.get("format", ()), os.environ)
    _require_places(outputs, option)
    return _prepare_evidence(flags, option) if option.evidence else _prepare_run(values, option)


def _require_places(outputs: Iterable[Output], option: Namespace) -> None:
    """Require that each further report has a place of its own, which can be written.

    Raises:
        BadSetting: one has not.
    """
    formats.require_writable(outputs)
    homeless = [each.format for each in outputs if not (each.file or each.is_printed)]
    if homeless and not option.conformance_out:
        raise BadSetting(f"--format {homeless[0]} needs a folder. Give --out FOLDER, or --format {homeless[0]}=FILE.")
    named = [each.format for each in outputs if each.file and not each.is_shared]
    if named and len(option.evidence) > 1:
        raise BadSetting(
            f"--format {named[0]} names one file for several runs. Give it without a file: each run has its own folder."
        )


def _prepare_evidence(flags: Options, option: Namespace) -> Preparation:
    profiles, select = flags.get("profile", ()), flags.get("select", ())
    evidence = {name: read(Path(name)) for name in option.evidence}
    builders: RunBuilders = {}
    for name, each in evidence.items():
        promises = read_promises(
            flags,
            requirements_in(scope_to_judge(each, profiles, select)),
            option.conformance_baseline_name,
            option.conformance_known_failures_name,
        )
        builders[name] = start_judging(each, profiles, select, promises)
    for name in option.evidence:
        if folder := _report_folder(name, option):
            keep_evidence(Path(name), folder)
    return Preparation({name: builder.expected for name, builder in builders.items()}, lambda _line, _ids: builders)


def _prepare_run(values: Options, option: Namespace) -> Preparation:
    expected = expected_in(values)
    promises = read_promises(values, expected)

    def start(write_line: Callable[[str], None], ids: Collection[str]) -> RunBuilders:
        is_whole = all(name in ids or requirement.not_judged for name, requirement in expected.items())
        selection = {} if is_whole else {"select": [name for name in expected if name in ids]}
        return {"": start_judging(_collect(values | selection, option, write_line), promises=promises)}

    has_judgments = any(not requirement.not_judged for requirement in expected.values())
    return Preparation({"": expected}, start, needs_judgments=has_judgments)


def summary_lines(builders: RunBuilders, option: Namespace) -> list[str]:
    """Return the last lines on the terminal, of each run; then where evidence and archive are that were collected."""
    lines = [
        line.plain
        for name, builder in builders.items()
        for line in terminal.lines(builder.build(), _report_folder(name, option))
    ]
    folder: Path | None = getattr(option, COLLECTED, None)
    names = {"Evidence": FILE_NAME, "Archive": archive.FILE_NAME}
    paths = {what: folder.absolute() / name for what, name in names.items()} if folder else {}
    found = [f"{what}: {path}" for what, path in paths.items() if path.exists()]
    if found and not option.conformance_out:
        found.append("That folder is a temporary one. To keep the archive, and get reports, give --conformance-out.")
    commands = [
        line
        for builder in builders.values()
        for line in formats.printed_lines(option.conformance_format, builder.build())
    ]
    return [*map(printable, [*lines, *found]), *commands]


def explain(result: Result) -> str:
    """Return why a requirement did not pass; empty if it did."""
    if result.outcome is Outcome.PASSED:
        return ""
    head = f"{result.id} ({result.level}): {result.statement}"
    if result.reason:
        return "\n".join(map(printable, (head, f"{result.outcome}: {result.reason}", f"cause:     {result.cause}")))
    lines = [head]
    for findings in by_steps(distinct_findings(result.findings)):
        lines += [words for each in findings for words in (f"expected:  {each.expected}", f"got:       {each.got}")]
        if steps := f"sh {file_name(result)}" if findings[0].script else findings[0].curl:
            lines += f"reproduce: {steps}".split("\n")
    if (more := result.finding_count - len(result.findings)) > 0:
        lines.append(f"and:       {more} more of the same kind")
    return "\n".join(map(printable, [*lines, f"remedy:    {result.requirement.remedy}"]))


def reports_without_judgment(builders: RunBuilders) -> dict[str, dict[str, Any]]:
    """Return name of a test case -> members of its `TestReport`, so that pytest counts as the reports do."""
    reports: dict[str, dict[str, Any]] = {
        name: {"outcome": "failed", "longrepr": text, "when": "setup"}
        for name, text in errors_of_runs(builders).items()
    }
    for folder, builder in builders.items():
        for result in (each for each in builder.build().requirements if each.requirement.not_judged):
            name = "::".join([junit.SUITE, *([Path(folder).name] if folder else []), result.id])
            properties = [("outcome", str(result.outcome))]
            reports[name] = {"outcome": "skipped", "longrepr": (name, 0, explain(result)), "when": "call"}
            reports[name] |= {"user_properties": properties}
    return reports


def pytest_outcome(result: Result, builder: RunBuilder) -> tuple[Literal["passed", "failed", "skipped"], str]:
    """Return what a result is for pytest, and the name that it is shown by.

    Only a MUST is red that failed or is open, and that nothing excuses; one that a known failure excuses is `known`.
    """
    if result.outcome is Outcome.PASSED:
        return "passed", str(result.outcome)
    if builder.is_red(result):
        return "failed", str(result.outcome)
    return "skipped", "known" if is_red(result) else str(result.outcome)


def errors_of_runs(builders: RunBuilders) -> dict[str, str]:
    """Return name of a test case -> why a run is red beside its judgments: its gate is broken, or it was cut short."""
    errors: dict[str, str] = {}
    for folder, builder in builders.items():
        prefix = [junit.SUITE, *([Path(folder).name] if folder else [])]
        for name, text in junit.errors_of_run(
            builder.build(), filter(builder.is_red, builder.results.values())
        ).items():
            errors["::".join([*prefix, name])] = text
    return errors


def finish_judging(builders: RunBuilders, option: Namespace) -> int:
    """Write the reports of each run if the user named a folder; return the exit code of the worst run.

    A report that cannot be written is named on standard error. Without report.json or junit.xml the exit code is that
    of a run without a result.
    """
    runs, missing = [], set[str]()
    for name, builder in builders.items():
        folder = _report_folder(name, option)
        runs.append(builder.build())
        try:
            if folder:
                write_reports(builder, folder)
        except ReportsNotWritten as error:
            missing.update(error.names)
            write_stderr(printable(str(error)))
        _write_further(option.conformance_format, builder, folder)
    return EXIT_CODES[Verdict.INCONCLUSIVE] if missing & REQUIRED else exit_code(runs)


def _write_further(outputs: Iterable[Output], builder: RunBuilder, folder: Path | None) -> None:
    """Write the reports of `--format`; those that cannot be written are named on standard error."""
    try:
        formats.write(outputs, builder.build(), folder, lambda: builder.evidence)
    except ReportsNotWritten as error:
        write_stderr(printable(str(error)))


def _flags(option: Namespace) -> Options:
    """Return option name -> value for each flag that was given.

    Raises:
        BadSetting: a value is not one that the option can have.
    """
    values = {key: getattr(option, key.dest) for key in KEYS}
    return {key.name: _parse_flag(key, value) for key, value in values.items() if value is not None}


def _parse_flag(key: Key, value: Any) -> Any:  # noqa: ANN401 -- any value of a flag
    if key.value_type is BOOLEAN or key.value_type is TOKEN_SOURCES:
        return value
    try:
        return key.parse_flag(value)
    except ValueError as error:
        raise BadSetting(f"{key.pytest_option}: {error}. Correct that flag.") from None


def _path(name: str | None) -> Path | None:
    return Path(name) if name else None


def _collect(values: Options, option: Namespace, write_line: Callable[[str], None]) -> Evidence:
    def say(text: str) -> None:
        write_line(printable(text))

    front_end = FrontEnd(
        say=say,
        warn=lambda text: say(f"Warning: {text}"),
        abort=_abort,
        create_folder=lambda: Path(mkdtemp(prefix="purge-conformance-")),
        has_latest=False,
        rehearse=partial(rehearsal.rehearse, judge=judge_here),
    )
    values |= {"allow_incomplete_archive": option.allow_incomplete_archive, "force": option.conformance_force}
    settings, folder = prepare_run(values, option.allow_purge, front_end)
    setattr(option, COLLECTED, folder.path)
    return collect_evidence(settings, folder, front_end)


def judge_here(folder: Path) -> Run:
    """Judge the small run of a rehearsal in this process, and write its reports to its folder."""
    builder = start_judging(read(folder))
    for name in builder.expected:
        view = JudgmentView(builder.evidence)
        builder.record(name, prerequisites.judge(name, view), view, 0.0)
    return write_reports(builder, folder)


def _abort(_url: str, _folder: Path) -> NoReturn:
    """Leave the end to pytest."""
    raise KeyboardInterrupt


def _report_folder(name: str, option: Namespace) -> Path | None:
    """Return where the reports of a run go: with several runs, a subfolder named after the folder of its evidence."""
    out = option.conformance_out
    return Path(out, Path(name).name if len(option.evidence) > 1 else "") if out else None
