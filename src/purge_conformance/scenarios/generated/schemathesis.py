"""Generates cases from `openapi.yaml` with Schemathesis; the client of the run sends them.

Schemathesis sends nothing, neither reads nor writes the caller's directory, and sees no token. It runs for about two
seconds in child processes, while the run does other work.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
import sys
import unicodedata
from collections import defaultdict
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.resources import files
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from purge_conformance.catalogue import OPENAPI, document
from purge_conformance.catalogue.api import GET_OPERATION, LIST_OPERATION, PURGE_OPERATION
from purge_conformance.config import child_python
from purge_conformance.errors import SuiteError
from purge_conformance.evidence.tag_values import CaseMode, GeneratedAuth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from purge_conformance.evidence.records import Exchange

    Send = Callable[["Case"], Exchange | None]
    Walk = Callable[[Send, int], None]
    Cases = Callable[[], tuple["Case", ...]]

# The most generated cases that a run sends; two of those for the purge have a token.
MAX_CASES = {PURGE_OPERATION: 6, LIST_OPERATION: 80, GET_OPERATION: 24}
GENERATION_TIMEOUT_S = 120.0  # seconds; generation takes about two
ISOLATION_OPTIONS = ("-c", os.devnull, "--noconftest", "--assert=plain", "-p", "no:cacheprovider")
CHILD_SCRIPT = "child.py"
PLUGIN = "schemathesis.pytest.plugin"


@dataclass(frozen=True, slots=True)
class Case:
    """One generated request.

    Attributes:
        operation_id: as in `openapi.yaml`.
        phase: `examples`, `coverage`, `fuzzing` or `stateful`.
        mode: `positive`: the document allows the request; `negative`: it does not.
        about: what is varied, for example `per_page value_above_maximum`; of a stateful case, the link to it.
        method: HTTP method.
        path: path and query below the target's base URL, percent-encoded.
        headers: those of the case, also a generated Authorization; without those that every client sends.
        body: text or None.
        media_type: of the body, or None.
        auth: `token`: the caller adds a valid token; `none`: there is no Authorization header; `generated`: `headers`
            has a generated one.
    """

    operation_id: str
    phase: Literal["examples", "coverage", "fuzzing", "stateful"]
    mode: CaseMode
    about: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: str | None
    media_type: str | None
    auth: GeneratedAuth


@dataclass(frozen=True, slots=True)
class Generator:
    """Generates cases; several targets may share one.

    Attributes:
        cases: waits for the generated cases and returns them.
        walk: runs the stateful cases.
    """

    cases: Cases
    walk: Walk


@contextmanager
def generation(*, seed: int, examples: int) -> Iterator[Cases]:
    """Generate cases in the background; yield a function that waits for all cases and returns them.

    Args:
        seed: the same seed gives the same cases in the same order.
        examples: the most random cases per operation and mode, besides the examples and bounds of the document.

    Raises:
        SuiteError: Schemathesis failed; the yielded function raises it.
    """
    with _work_folder(seed=seed, examples=examples) as folder:
        script = (folder / CHILD_SCRIPT).rename(folder / "test_cases.py")
        with _child_process("-m", "pytest", *ISOLATION_OPTIONS, "-p", PLUGIN, str(script), folder=folder) as process:
            yield lambda: _read_cases(process, folder)


def generate(*, seed: int, examples: int) -> tuple[Case, ...]:
    """Return all cases for all operations; see `generation`."""
    with generation(seed=seed, examples=examples) as cases:
        return cases()


def select_cases(cases: Iterable[Case], max_cases: Mapping[str, int] = MAX_CASES) -> tuple[Case, ...]:
    """Return each distinct request once, at most `max_cases` per operation, with equal shares for all variations.

    The purges come last, so that listed events exist until then.
    """
    distinct = {(case.method, case.path, case.headers, case.body, case.auth): case for case in reversed(list(cases))}
    order = list(reversed(distinct.values()))
    kinds: defaultdict[str, defaultdict[tuple[str, str, str], list[Case]]] = defaultdict(lambda: defaultdict(list))
    for case in order:  # the text of `about` is Schemathesis' own: a parameter, if there is one, then a description
        kinds[case.operation_id][case.phase, case.mode, case.about.partition(" ")[0]].append(case)
    selected: set[Case] = set()
    for operation, by_kind in kinds.items():
        round_robin = [case for turn in zip_longest(*by_kind.values()) for case in turn if case is not None]
        selected.update(round_robin[: max_cases[operation]])
    return tuple(
        sorted((case for case in order if case in selected), key=lambda case: case.operation_id == PURGE_OPERATION)
    )


def with_existing_guid(case: Case, guid: str) -> Case:
    """Return the case with the guid of an existing event instead of the example of the document."""
    example = document(OPENAPI)["components"]["parameters"]["EventGuid"]["example"]
    return replace(case, path=case.path.replace(example, quote(guid, safe="", errors="replace")))


@contextmanager
def links(*, seed: int, scenarios: int = 3, steps: int = 6) -> Iterator[Walk]:
    """Prepare stateful cases in the background; yield a function that runs at most `scenarios` x `steps` of them.

    The function can be called again for another target; equal responses lead to equal cases. It takes `send`, which
    returns the exchange of a case, or None if the request was blocked, and `max_purges`. A scenario of Schemathesis
    begins with a purge and follows the links of the document: list, get. A purge beyond `max_purges` is not sent; the
    scenario continues from the response to the purge before, since another purge leads to an equivalent state.

    Raises:
        SuiteError: Schemathesis failed; the yielded function raises it.
    """
    with (
        _work_folder(seed=seed, examples=1, scenarios=scenarios, steps=steps) as folder,
        _child_process(
            str(folder / CHILD_SCRIPT), folder=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process,
    ):

        def walk(send: Send, max_purges: int) -> None:
            if not _run_walk(process, _limit_purges(send, max_purges)):
                _wait_for_exit(process, folder)

        yield walk


def _limit_purges(send: Send, max_purges: int) -> Send:
    purges: list[Exchange | None] = []

    def send_limited(case: Case) -> Exchange | None:
        if case.operation_id != PURGE_OPERATION:
            return send(case)
        if len(purges) < max_purges:
            purges.append(send(case))
        return purges[-1] if purges else None

    return send_limited


def _run_walk(process: subprocess.Popen[str], send: Send) -> bool:
    """Have the child walk once; return whether the walk ended regularly."""
    _write_message(process, {})
    return _serve_walk(process, send)


def _serve_walk(process: subprocess.Popen[str], send: Send) -> bool:
    """Send each case of the child and return the response to it, until the walk ends."""
    assert process.stdout is not None  # noqa: S101 -- a pipe
    for line in process.stdout:
        if not line.strip():
            return True
        try:
            exchange = send(_parse_case(line))
        except Exception:
            _abort_walk(process)
            raise
        _write_message(process, _encode_response(exchange))
    return False


def _abort_walk(process: subprocess.Popen[str]) -> None:
    """Let the child finish an aborted walk, so that it can begin another."""
    _write_message(process, _encode_response(None))
    _serve_walk(process, lambda _: None)


def _encode_response(exchange: Exchange | None) -> dict[str, Any]:
    if exchange is None or exchange.status is None:
        return {"status": 503, "headers": [], "body": ""}  # no link starts from it
    body = base64.b64encode(exchange.body).decode()
    return {"status": exchange.status, "headers": exchange.response_headers, "body": body}


def _write_message(process: subprocess.Popen[str], message: dict[str, Any]) -> None:
    assert process.stdin is not None  # noqa: S101 -- a pipe
    with suppress(BrokenPipeError):  # _wait_for_exit reports why the process ended
        process.stdin.write(json.dumps(message) + "\n")
        process.stdin.flush()


@contextmanager
def generator(*, seed: int, examples: int) -> Iterator[Generator]:
    """Generate all kinds of cases in the background; see `generation` and `links`."""
    with generation(seed=seed, examples=examples) as cases, links(seed=seed) as walk:
        yield Generator(cases, walk)


@contextmanager
def _work_folder(**plan: object) -> Iterator[Path]:
    """Create a folder with the files that a child reads: its script, the document and the plan."""
    with TemporaryDirectory(prefix="purge-conformance-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        script = files("purge_conformance.scenarios.generated") / CHILD_SCRIPT
        (folder / CHILD_SCRIPT).write_text(script.read_text(encoding="utf-8"), encoding="utf-8")
        (folder / "openapi.json").write_text(json.dumps(document(OPENAPI)), encoding="utf-8")
        (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
        _prefill_hypothesis_cache(folder)
        yield folder


def _prefill_hypothesis_cache(folder: Path) -> None:
    """Write the characters that UTF-8 encodes to the cache of Hypothesis, so that no child has to try each of them.

    A version of Hypothesis with another cache format ignores the file.
    """
    cache = folder / ".hypothesis" / "unicode_data" / unicodedata.unidata_version
    cache.mkdir(parents=True)
    encodable = [[0, 0xD7FF], [0xE000, sys.maxunicode]]
    with gzip.open(cache / "codec-v2-utf-8.json.gz", "wt") as file:
        json.dump([encodable, []], file)  # the second list: characters that decode to another one


@contextmanager
def _child_process(
    *arguments: str, folder: Path, stdin: int = subprocess.DEVNULL, stdout: int | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run Python in the folder; kill it when the block ends."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 -- the interpreter of this process
            child_python.command(*arguments),
            cwd=folder,
            env=child_python.environment(),
            stdin=stdin,
            stdout=log if stdout is None else stdout,
            stderr=log,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # otherwise a terminal's interrupt reaches it as well
        )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _read_cases(process: subprocess.Popen[str], folder: Path) -> tuple[Case, ...]:
    _wait_for_exit(process, folder)
    return tuple(_parse_case(line) for line in (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines())


def _wait_for_exit(process: subprocess.Popen[str], folder: Path) -> None:
    try:
        code = process.wait(GENERATION_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise SuiteError(
            f"Schemathesis did not end within {GENERATION_TIMEOUT_S:g} s. Run again with fewer --examples."
        ) from None
    if code:
        log = (folder / "log").read_text(encoding="utf-8", errors="replace")[-2000:]
        raise SuiteError(f"Schemathesis ended with code {code}, expected 0. This is a defect of the suite:\n{log}")


def _parse_case(line: str) -> Case:
    row = json.loads(line)
    headers = tuple((name, value) for name, value in row["headers"])
    return Case(**{**row, "mode": CaseMode(row["mode"]), "auth": GeneratedAuth(row["auth"]), "headers": headers})
