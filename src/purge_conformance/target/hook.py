"""Asks the user's hook to put the target into a provider state; `spec/hook.md` is the protocol."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from math import inf
from typing import IO, TYPE_CHECKING, Any

from purge_conformance.client.auth.renewal import as_renewable
from purge_conformance.client.connection import SEND_ERRORS, Connection
from purge_conformance.client.time_limit import TimeLimit
from purge_conformance.config.hook_url import SETUP, TEARDOWN, hook_request
from purge_conformance.errors import HookFailed, HookUnreachable, StateUnsupported
from purge_conformance.evidence.url_passwords import mask_passwords
from purge_conformance.target.command_environment import command_environment

if TYPE_CHECKING:
    from purge_conformance.config.settings import Settings

UNSUPPORTED_EXIT_CODE = 3
MAX_BYTES = 64 * 1024  # of an answer; a pipe holds as many
MAX_QUOTED_CHARS = 200  # of an answer in a message


@dataclass(frozen=True, slots=True)
class _Reply:
    """A hook's answer: its status or exit code in words, what that means, and the body."""

    summary: str
    is_success: bool
    is_unsupported: bool
    body: bytes


class Hook:
    """Requests provider states one by one; after a failure it raises the same error without asking again."""

    def __init__(self, settings: Settings, time_limit: TimeLimit | None = None) -> None:
        """Use the hook that the settings name; an answer may take as long as a response of the target.

        Args:
            settings: with a hook.
            time_limit: the time of the run; None: an answer needs no more than its own timeout.
        """
        assert settings.hook is not None  # noqa: S101 -- callers check that there is a hook
        self._settings, self._address = settings, settings.hook
        self._timeout = settings.limits.timeout
        self._time_limit = time_limit or TimeLimit(inf)
        self._transport = settings.transport
        self._redactor = as_renewable(settings.tokens).redactor
        self._failure: HookFailed | None = None

    def set_up(self, state: str, **params: object) -> dict[str, Any]:
        """Ask for a state, and return the JSON object of the hook's answer.

        Raises:
            StateUnsupported: the hook does not know the state.
            HookFailed: it failed, now or earlier.
            BudgetExhausted: the time of the run is used up.
        """
        self._time_limit.require()
        return self._request_state(state, params, SETUP, self._time_limit.left)

    def tear_down(self, state: str, **params: object) -> None:
        """Ask for the end of a state; the hook may answer that it does not support that.

        Raises:
            HookFailed: it failed, now or earlier.
        """
        with suppress(StateUnsupported):
            self._request_state(state, params, TEARDOWN, self._time_limit.left_for_cleanup)

    def _request_state(self, state: str, params: dict[str, object], action: str, seconds: float) -> dict[str, Any]:
        if self._failure:
            raise self._failure
        reply = self._send(hook_request(state, params, action).encode(), state, action, seconds)
        if reply.is_unsupported:
            raise StateUnsupported(f"the hook does not support the state {state!r}; it answered {reply.summary}")
        if not reply.is_success:
            raise self._fail(state, action, f"it answered {reply.summary}{self._quote(reply.body)}")
        try:
            values = json.loads(reply.body) if reply.body.strip() else {}
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict):
            raise self._fail(state, action, f"its answer is not a JSON object{self._quote(reply.body)}")
        return values

    def _send(self, request_body: bytes, state: str, action: str, seconds: float) -> _Reply:
        send = self._post if self._address.url else self._run_command
        try:
            return send(request_body, seconds)
        except SEND_ERRORS as error:
            self._time_limit.require()
            raise self._fail(state, action, f"it did not answer ({type(error).__name__})", HookUnreachable) from None
        except _Silence as error:
            raise self._fail(state, action, str(error), HookUnreachable) from None
        except _NoReply as error:
            self._time_limit.require()
            raise self._fail(state, action, str(error)) from None

    def _fail(self, state: str, action: str, reason: str, kind: type[HookFailed] = HookFailed) -> HookFailed:
        self._failure = kind(
            f"the hook failed at the {action} of the state {state!r}: {reason}. "
            "spec/hook.md in the package purge_conformance describes the expected answer"
        )
        return self._failure

    def _quote(self, body: bytes) -> str:
        text = mask_passwords(self._redactor.redact_text(" ".join(body.decode("utf-8", "replace").split())))
        return f": {text[:MAX_QUOTED_CHARS]}" if text else ""

    def _post(self, request_body: bytes, seconds: float) -> _Reply:
        connection = Connection(self._address.url, self._transport)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        prepared = connection.prepare("POST", "", headers, request_body)
        with connection.send(prepared, self._timeout, seconds) as answer:
            body = b""
            while chunk := answer.read1(MAX_BYTES, decode_content=True):
                body += chunk
                if len(body) > MAX_BYTES:
                    raise _NoReply(f"its answer is larger than {MAX_BYTES} bytes")
        status = answer.status
        is_success = status in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}
        return _Reply(f"HTTP {status}", is_success, status == HTTPStatus.NOT_IMPLEMENTED, body)

    def _run_command(self, request_body: bytes, seconds: float) -> _Reply:
        """Run the command, without a shell and without secrets of the run, until it exits; its children may go on."""
        pipe = subprocess.PIPE
        with subprocess.Popen(  # noqa: S603 -- the user's own command
            self._address.command,
            bufsize=0,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env=command_environment(self._settings),
            start_new_session=True,
        ) as process:
            assert process.stdin and process.stdout and process.stderr  # noqa: S101, PT018 -- all three are pipes
            try:
                with suppress(BrokenPipeError):
                    process.stdin.write(request_body)
                process.stdin.close()
                code = process.wait(min(self._timeout, seconds))
            except subprocess.TimeoutExpired:
                raise _Silence(
                    f"it did not exit within {self._timeout:g} s, or wrote more than {MAX_BYTES} bytes"
                ) from None
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
            body = _read_available(process.stdout) or (_read_available(process.stderr) if code else b"")
        return _Reply(f"exit code {code}", code == 0, code == UNSUPPORTED_EXIT_CODE, body)


class _NoReply(Exception):
    """The hook gave no complete answer; the text says why."""


class _Silence(_NoReply):
    """The hook gave no answer at all within its time."""


def _read_available(pipe: IO[bytes]) -> bytes:
    """Return what is in a pipe now, without waiting: children of the command may keep it open."""
    os.set_blocking(pipe.fileno(), False)
    with suppress(BlockingIOError):
        return os.read(pipe.fileno(), MAX_BYTES)
    return b""
