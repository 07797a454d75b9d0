"""Asks the user's hook to put the target into a state; `spec/hook.md` is the protocol."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import requests
import urllib3

from purge_conformance.client.auth.renewal import as_renewable
from purge_conformance.client.connection import Connection
from purge_conformance.config.hook_url import SETUP, TEARDOWN, hook_request
from purge_conformance.errors import HookFailed, HookUnreachable, StateUnsupported

if TYPE_CHECKING:
    from purge_conformance.config.settings import Settings

UNSUPPORTED_STATUS, UNSUPPORTED_CODE = 501, 3  # of an HTTP endpoint, and of a command
OK, NO_CONTENT = 200, 204
MAX_BYTES = 64 * 1024  # of an answer; as many as a pipe holds
MAX_QUOTED_CHARS = 200  # characters of an answer that a reason quotes


@dataclass(frozen=True, slots=True)
class _Reply:
    """What a hook answered: in which words it ended, what that means, and its bytes."""

    summary: str
    is_success: bool
    is_unsupported: bool
    body: bytes


class Hook:
    """Puts the target into states, one question at a time; one that has failed is asked no more."""

    def __init__(self, settings: Settings) -> None:
        """Ask the hook that the settings name; each answer may take as long as the target's may."""
        assert settings.hook is not None  # noqa: S101 -- nobody asks a hook that was not given
        self._address = settings.hook
        self._timeout = settings.limits.timeout
        self._transport = settings.transport
        self._redactor = as_renewable(settings.tokens).redactor
        self._failure: HookFailed | None = None

    def set_up(self, state: str, **params: object) -> dict[str, Any]:
        """Ask for a state, and return the values that the hook gives.

        Raises:
            StateUnsupported: the hook does not know the state.
            HookFailed: it failed, now or earlier.
        """
        return self._request_state(state, params, SETUP)

    def tear_down(self, state: str, **params: object) -> None:
        """Ask for the end of a state; a hook that has no end for it need not know it.

        Raises:
            HookFailed: it failed, now or earlier.
        """
        with suppress(StateUnsupported):
            self._request_state(state, params, TEARDOWN)

    def _request_state(self, state: str, params: dict[str, object], action: str) -> dict[str, Any]:
        if self._failure:
            raise self._failure
        reply = self._send(hook_request(state, params, action).encode(), state, action)
        if reply.is_unsupported:
            raise StateUnsupported(f"the hook does not support the state {state!r} ({reply.summary})")
        if not reply.is_success:
            raise self._fail(state, action, f"it ended with {reply.summary}{self._quote(reply.body)}")
        try:
            values = json.loads(reply.body) if reply.body.strip() else {}
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict):
            raise self._fail(state, action, f"it answered what is no JSON object{self._quote(reply.body)}")
        return values

    def _send(self, request_body: bytes, state: str, action: str) -> _Reply:
        try:
            return self._post(request_body) if self._address.url else self._run_command(request_body)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._fail(state, action, f"it gave no answer ({type(error).__name__})", HookUnreachable) from None
        except _NoReply as error:
            raise self._fail(state, action, str(error)) from None

    def _fail(self, state: str, action: str, reason: str, kind: type[HookFailed] = HookFailed) -> HookFailed:
        self._failure = kind(
            f"the hook failed at the {action} of the state {state!r}: {reason}. spec/hook.md says what it is asked"
        )
        return self._failure

    def _quote(self, body: bytes) -> str:
        text = self._redactor.redact_text(" ".join(body.decode("utf-8", "replace").split()))
        return f": {text[:MAX_QUOTED_CHARS]}" if text else ""

    def _post(self, request_body: bytes) -> _Reply:
        connection = Connection(self._address.url, self._transport)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        with connection.send(connection.prepare("POST", "", headers, request_body), self._timeout) as answer:
            body = b""
            while chunk := answer.read1(MAX_BYTES, decode_content=True):
                body += chunk
                if len(body) > MAX_BYTES:
                    raise _NoReply(f"its answer is larger than {MAX_BYTES} bytes")
        status = answer.status
        return _Reply(f"HTTP {status}", status in {OK, NO_CONTENT}, status == UNSUPPORTED_STATUS, body)

    def _run_command(self, request_body: bytes) -> _Reply:
        """Run the command, without a shell and without our tokens, until it exits, whatever it leaves behind."""
        pipe = subprocess.PIPE
        with subprocess.Popen(  # noqa: S603 -- the user's own words
            self._address.command,
            bufsize=0,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env=self._environment(),
            start_new_session=True,
        ) as process:
            assert process.stdin and process.stdout and process.stderr  # noqa: S101, PT018 -- pipes were asked for
            try:
                with suppress(BrokenPipeError):
                    process.stdin.write(request_body)
                process.stdin.close()
                code = process.wait(self._timeout)
            except subprocess.TimeoutExpired:
                raise _NoReply(
                    f"it did not exit within {self._timeout:g} s, or wrote more than {MAX_BYTES} bytes"
                ) from None
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
            body = _read_available(process.stdout) or (_read_available(process.stderr) if code else b"")
        return _Reply(f"exit code {code}", code == 0, code == UNSUPPORTED_CODE, body)

    def _environment(self) -> dict[str, str]:
        """Return our environment without what holds a token of the run."""
        return {name: value for name, value in os.environ.items() if self._redactor.redact_text(value) == value}


class _NoReply(Exception):
    """A hook gave no answer that can be read."""


def _read_available(pipe: IO[bytes]) -> bytes:
    """Return what is in a pipe now; what the command started may keep it open for ever."""
    os.set_blocking(pipe.fileno(), False)
    with suppress(BlockingIOError):
        return os.read(pipe.fileno(), MAX_BYTES)
    return b""
