"""Starts the reference server in a separate process; everything else reaches it by URL."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from purge_conformance.errors import SuiteError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STATES_PATH = "/_states"  # the path of the hook below the server's URL
STOP_TIMEOUT_S = 5.0  # then the server is killed


def hook_url(url: str) -> str:
    """Return the URL of the hook of a server, or of a fault that is mounted below its URL."""
    return url + STATES_PATH


@contextmanager
def server(arguments: Sequence[str] = ()) -> Iterator[tuple[str, dict[str, str]]]:
    """Serve on a free loopback port during the block; yield the URL and role -> token.

    The server stops when its standard input closes, so that it never outlives this process.

    Args:
        arguments: more arguments of `purge-conformance serve`, for example `--fault NAME`.

    Raises:
        SuiteError: the server did not start.
    """
    serve = ["serve", "--port", "0", "--announce", "--states", STATES_PATH]
    command = [sys.executable, "-P", "-m", "purge_conformance", *serve, *arguments]
    with subprocess.Popen(  # noqa: S603 -- this Python runs our own command
        command,
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
        start_new_session=True,  # no Ctrl-C reaches it: an interrupted run still has to delete its apps
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise SuiteError(
                    "The reference server did not start; see its output above. "
                    "If it is not installed: pip install 'purge-conformance[reference]'."
                )
            ready = json.loads(line)
            yield ready["url"], ready["tokens"]
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
