"""The reports that a user asks for with `--format`, besides those that are always written.

They follow from the judged run, and where they show exchanges from its evidence. Each file appears whole or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from purge_conformance.config.formats import (
    ALWAYS_WRITTEN,
    GITHUB_ANNOTATIONS,
    GITHUB_SUMMARY,
    STEP_SUMMARY,
    parse_format,
)
from purge_conformance.errors import BadSetting, ReportsNotWritten
from purge_conformance.evidence import files
from purge_conformance.report import (
    ctrf,
    github_annotations,
    github_summary,
    gitlab,
    har,
    html,
    junit,
    markdown,
    sarif,
    surefire,
)
from purge_conformance.report import json as as_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from purge_conformance.evidence.records import Evidence
    from purge_conformance.report.model import Run

    ReadEvidence = Callable[[], Evidence]

STANDARD_OUTPUT = Path("-")  # a convention of other commands
FILE_NAMES = {
    "json": as_json.FILE_NAME,
    "html": html.FILE_NAME,
    "junit": junit.FILE_NAME,
    "markdown": markdown.FILE_NAME,
    "sarif": sarif.FILE_NAME,
    "har": har.FILE_NAME,
    "ctrf": ctrf.FILE_NAME,
    "surefire": surefire.FILE_NAME,
    GITHUB_SUMMARY: github_summary.FILE_NAME,
    "gitlab": gitlab.FILE_NAME,
}


@dataclass(frozen=True, slots=True)
class Output:
    """One further report.

    Attributes:
        format: its name.
        file: where it goes; None: into the folder of the run, under the name of `FILE_NAMES`; annotations without a
            file go to standard output.
        is_shared: whether other steps of a job write to the file as well, so that the report is added to it.
    """

    format: str
    file: Path | None = None
    is_shared: bool = False

    @property
    def is_printed(self) -> bool:
        """Whether it goes to standard output."""
        return self.format == GITHUB_ANNOTATIONS and self.file is None


def outputs(texts: Iterable[str], environ: Mapping[str, str]) -> tuple[Output, ...]:
    """Return the further reports of a run; the summary of a GitHub step goes where GitHub's variable says.

    Args:
        texts: `NAME` or `NAME=FILE`, as the user gave them; a format that is written anyway, and has no file, is left
            out.
        environ: environment variables.
    """
    found = []
    for name, file in map(parse_format, texts):
        step_summary = environ.get(STEP_SUMMARY)
        if name == GITHUB_SUMMARY and step_summary and (file is None or file == Path(step_summary)):
            found.append(Output(name, Path(step_summary), is_shared=True))
        elif file or name not in ALWAYS_WRITTEN:
            found.append(Output(name, file))
    return tuple(dict.fromkeys(found))


def require_writable(found: Iterable[Output]) -> None:
    """Require that each named file can be written, before anything is sent.

    Raises:
        BadSetting: one cannot.
    """
    for output in found:
        if output.file and (reason := _why_not_writable(output.file)):
            raise BadSetting(
                f"--format {output.format}: {output.file} {reason}. Give another file: --format {output.format}=FILE"
            )


def _why_not_writable(file: Path) -> str:
    """Return why a file cannot be written; empty if it can. A device or a pipe would be replaced."""
    if file == STANDARD_OUTPUT:
        return "stands for standard output, where no report goes"
    if file.exists() and not file.is_file():
        return "is a folder" if file.is_dir() else "is a device or a pipe, and a report is written to a file"
    try:
        files.require_creatable(file)
    except OSError as error:
        return f"cannot be written: {error.strerror}"
    return ""


def printed_lines(found: Iterable[Output], run: Run) -> list[str]:
    """Return the lines that go to standard output as they are: each is safe there."""
    return github_annotations.lines(run) if any(output.is_printed for output in found) else []


def write(found: Iterable[Output], run: Run, folder: Path | None, read_evidence: ReadEvidence) -> tuple[Path, ...]:
    """Write the reports that go to files, and return their paths. One that fails does not stop the others.

    Args:
        found: what to write.
        run: the judged run.
        folder: of the run's reports; None: there is none, and each output has a file.
        read_evidence: returns the evidence of the run; is called only by formats with exchanges.

    Raises:
        ReportsNotWritten: some could not be written; all others are.
    """
    paths: list[Path] = []
    failures: dict[Path, str] = {}
    for output in found:
        if output.is_printed or not (path := _path(output, folder)):
            continue
        try:
            paths.append(_write(output, path, run, read_evidence))
        except Exception as error:  # noqa: BLE001 -- as in `write_all`
            failures[path] = f"{output.format}: {reason_of(error)}"
    if failures:
        what = "; ".join(f"{path}: {reason}" for path, reason in failures.items())
        raise ReportsNotWritten(
            f"Not written: {what}. Make room or give permission there, then write it again: "
            f"`purge-conformance report {folder or 'FOLDER'} --format NAME=FILE`.",
            tuple(path.name for path in failures),
        )
    return tuple(paths)


def reason_of(error: Exception) -> str:
    """Return why a file could not be written; of a defect only its type, as its text may contain a secret."""
    return error.strerror or str(error) if isinstance(error, OSError) else f"the suite failed ({type(error).__name__})"


def _path(output: Output, folder: Path | None) -> Path | None:
    if output.file:
        return output.file
    return folder / FILE_NAMES[output.format] if folder else None


def _write(output: Output, path: Path, run: Run, read_evidence: ReadEvidence) -> Path:
    files.create_folder(path.parent)
    if output.is_shared:
        return _add(path, partial(github_summary.render, run))
    with files.writing(path, replace=True) as file:
        for part in _parts(output.format, run, read_evidence):
            file.write(part.encode())
    return path


def _parts(name: str, run: Run, read_evidence: ReadEvidence) -> Iterator[str]:
    texts: dict[str, Callable[[Run], str]] = {
        "json": as_json.dump,
        "junit": junit.render,
        "markdown": markdown.render,
        "sarif": sarif.render,
        "ctrf": ctrf.render,
        "surefire": surefire.render,
        "gitlab": gitlab.render,
        GITHUB_SUMMARY: github_summary.render,
        GITHUB_ANNOTATIONS: github_annotations.render,
    }
    if name == "har":
        yield from har.render(read_evidence())
    else:
        yield html.render(run, read_evidence()) if name == "html" else texts[name](run)


def _add(path: Path, render: Callable[[int], str]) -> Path:
    """Add a text to a file that other steps write to as well; if that fails, the file stays as it was."""
    with path.open("ab") as file:
        size = file.tell()
        try:
            file.write(render(github_summary.MAX_BYTES - size).encode())
            file.flush()
        except BaseException:
            file.truncate(size)
            raise
    return path
