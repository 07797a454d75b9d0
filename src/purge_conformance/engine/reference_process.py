"""Starts the reference server in its own process; everything else reaches it by URL."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from purge_conformance.config import child_python
from purge_conformance.errors import SuiteError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STATES_PATH = "/_states"  # of the endpoint for provider states, below its URL
STOP_TIMEOUT_S = 5.0  # until a server that does not stop is killed


def hook_url(url: str) -> str:
    """Return the URL of the provider-state hook of a reference server, or of one mounted at this URL."""
    return url + STATES_PATH


@contextmanager
def server(arguments: Sequence[str] = ()) -> Iterator[tuple[str, dict[str, str]]]:
    """Serve on a free loopback port until the block ends; yield the URL and role -> token.

    The server stops at the end of its standard input, so that it does not outlive this process, however that ends.

    Args:
        arguments: further arguments of `purge-conformance serve`, for example `--fault NAME`.

    Raises:
        SuiteError: the server did not start.
    """
    serve = ["serve", "--port", "0", "--announce", "--states", STATES_PATH]
    with subprocess.Popen(  # noqa: S603 -- this package's own command
        child_python.command("-m", "purge_conformance", *serve, *arguments),
        env=child_python.environment(*child_python.COVERAGE_VARIABLES),
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
        start_new_session=True,  # an interrupted run still needs the server to delete its apps
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise SuiteError(
                    "The reference server did not start; see its output above. "
                    "It needs the extra `reference`: pip install 'purge-conformance[reference]'."
                )
            ready = json.loads(line)
            yield ready["url"], ready["tokens"]
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
