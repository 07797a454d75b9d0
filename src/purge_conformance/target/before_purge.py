"""Runs the user's command of `--before-purge`, which may stop a run before its first purge."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from selectors import EVENT_READ, DefaultSelector
from typing import IO, TYPE_CHECKING

from purge_conformance.client.auth.renewal import as_renewable
from purge_conformance.errors import PurgeRefused
from purge_conformance.evidence.safe_text import clip, one_line
from purge_conformance.target.command_environment import command_environment

if TYPE_CHECKING:
    from pathlib import Path

    from purge_conformance.client.client import Client
    from purge_conformance.client.guard import Guard
    from purge_conformance.target.archive.events import ArchiveSummary

TIMEOUT_S = 300.0  # a billing consumer may have to read all events first
POLL_S = 0.1  # until a signal, or the end of a command that closed its output, is noticed
CHUNK_BYTES = 64 * 1024
MAX_QUOTED_CHARS = 200  # of the output in a message, and of a member of the newest event
NEXT_STEP = "Run again when it succeeds, or omit --before-purge."


def require_permission(client: Client, path: Path, summary: ArchiveSummary) -> None:
    """Require that the user's command, if there is one, exits with 0.

    It gets a JSON object on its standard input, and an environment without secrets of the run. If a signal ends the run
    meanwhile, the command is killed.

    Args:
        client: of the run; its guard has the time that is left.
        path: of the archive.
        summary: of the archive.

    Raises:
        PurgeRefused: it cannot be run, exits with another code, or does not end in time; no purge was sent.
    """
    command = client.settings.before_purge
    if not command:
        return
    seconds = min(TIMEOUT_S, client.guard.time_limit.left)
    try:
        code, output = _run(command, client, _message(path, summary), seconds)
    except OSError as error:
        raise PurgeRefused(f"{_refused('cannot be run')}: {error.strerror}. {NEXT_STEP}") from None
    if client.guard.close_reason or code == 0:
        return
    ending = f"did not end within {seconds:g} s" if code is None else f"ended with the exit code {code}"
    first_line = as_renewable(client.settings.tokens).redactor.redact_text(output.decode("utf-8", "replace").strip())
    quoted = one_line(first_line.partition("\n")[0], MAX_QUOTED_CHARS)
    raise PurgeRefused(f"{_refused(ending)}{f': {quoted}' if quoted else ''}. {NEXT_STEP}")


def _refused(what: str) -> str:
    return f"No purge was sent, since the command of --before-purge {what}"


def _message(path: Path, summary: ArchiveSummary) -> bytes:
    newest = summary.last and {name: clip(value, MAX_QUOTED_CHARS) for name, value in summary.last.items()}
    facts = {
        "version": 1,
        "target": summary.target,
        "archive": str(path.resolve()),
        "events": summary.events,
        "sha256": summary.sha256,
        "complete": summary.complete,
        "newest": newest,
    }
    return json.dumps(facts).encode()


def _run(command: tuple[str, ...], client: Client, message: bytes, seconds: float) -> tuple[int | None, bytes]:
    """Run a command without a shell; return its exit code, None if it was killed, and the begin of its output."""
    with subprocess.Popen(  # noqa: S603 -- the user's own command
        command,
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=command_environment(client.settings),
        start_new_session=True,
    ) as process:
        assert process.stdin and process.stdout  # noqa: S101, PT018 -- both are pipes
        try:
            try:
                process.stdin.write(message)  # a pipe holds it, whether the command reads it or not
                process.stdin.close()
            except BrokenPipeError:
                pass
            output = _read_until_end(process, process.stdout, client.guard, time.monotonic() + seconds)
            return process.poll(), output
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _read_until_end(process: subprocess.Popen[bytes], pipe: IO[bytes], guard: Guard, deadline: float) -> bytes:
    """Read the output until the command ends, the time is over or the guard is closed; return the begin of it."""
    output = b""
    os.set_blocking(pipe.fileno(), False)
    with DefaultSelector() as selector:
        selector.register(pipe, EVENT_READ)
        while True:
            has_ended = process.poll() is not None
            is_readable = bool(selector.select(0 if has_ended else POLL_S))
            chunk = os.read(pipe.fileno(), CHUNK_BYTES) if is_readable else b""
            output = (output + chunk)[:CHUNK_BYTES]
            if is_readable and not chunk:
                selector.unregister(pipe)  # it is closed: from now on the selector only waits
            if has_ended or time.monotonic() > deadline or guard.close_reason:
                return output
