"""Fixtures that start a process: the command and the reference server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.command import CommandResult, FullRun, full_run_in, run_command
from purge_conformance.engine import reference_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def command() -> Callable[..., CommandResult]:
    """The function that runs the installed command: `run_command`."""
    return run_command


@pytest.fixture(scope="session")
def full_run(tmp_path_factory: pytest.TempPathFactory) -> FullRun:
    """One complete run of both profiles, which the tests of a worker share."""
    return full_run_in(tmp_path_factory.mktemp("full-run"))


@pytest.fixture(scope="session")
def reference_server() -> Iterator[tuple[str, dict[str, str]]]:
    """A reference server for tests that only read: its URL, and role -> token."""
    with reference_process.server() as found:
        yield found
