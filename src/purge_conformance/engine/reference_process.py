"""Starts the reference server as a process of its own; everything else reaches it by URL."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from purge_conformance.errors import SuiteError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STATES_PATH = "/_states"  # where it takes provider states, below its URL
STOP_TIMEOUT_S = 5.0  # seconds until a server that does not stop is killed


def hook_url(url: str) -> str:
    """Return the URL of the hook of an embedded server, or of one that is mounted there."""
    return url + STATES_PATH


@contextmanager
def server(arguments: Sequence[str] = ()) -> Iterator[tuple[str, dict[str, str]]]:
    """Serve on a free loopback port for the length of the block; yield its URL and role -> token.

    The server ends with its standard input, so that it does not outlive this process, however that ends.

    Args:
        arguments: further ones of `purge-conformance serve`, for example `--fault NAME`.

    Raises:
        SuiteError: the server did not start.
    """
    serve = ["serve", "--port", "0", "--announce", "--states", STATES_PATH]
    command = [sys.executable, "-P", "-m", "purge_conformance", *serve, *arguments]
    with subprocess.Popen(  # noqa: S603 -- the user's own words
        command,
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
        start_new_session=True,  # an interrupted run takes down what it put up: the server must still be there
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise SuiteError(
                    "The reference server did not start; its words stand above. "
                    "It needs the extra: pip install 'purge-conformance[reference]'."
                )
            ready = json.loads(line)
            yield ready["url"], ready["tokens"]
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
