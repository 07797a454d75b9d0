"""The run of one target: what it needs wherever it runs, and what runs several of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

from purge_conformance.config import child_python
from purge_conformance.config.formats import STEP_SUMMARY
from purge_conformance.config.options import PREFIX
from purge_conformance.engine.fleet.processes import Ended, Processes, Task
from purge_conformance.evidence import files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LOG = "run.log"  # what the run of a target prints


@dataclass(frozen=True, slots=True)
class TargetRun:
    """The run of one target.

    Attributes:
        name: of the target.
        arguments: of the command `run`, besides its configuration and its folder.
        config: the content of its configuration file.
        variables: environment variables that its tokens and its commands need -> value.
        foreign: names of variables that hold only tokens of other targets.
        limit: seconds after which it is ended; it has limits of its own, so that this is never reached unless it hangs.
    """

    name: str
    arguments: Sequence[str]
    config: str
    variables: Mapping[str, str]
    foreign: Sequence[str]
    limit: float

    def task(self, folder: Path, configs: Path) -> Task:
        """Return its process on this machine; creates its folder, and its configuration file in `configs`."""
        config = configs / f"{self.name}.json"
        files.create_folder(folder)
        files.write_text(config, self.config)
        words = ("run", *self.arguments, f"--config={config}", f"--out={folder}")
        command = child_python.command("-m", "purge_conformance", *words)
        return Task(self.name, command, self.environment(os.environ), folder / LOG, self.limit)

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of its process: these variables, without those that belong to others.

        Left out are the tokens of other targets, the suite's own variables, and the file to which GitHub's summary
        would go: each target has one in its folder.
        """
        kept = {
            name: value
            for name, value in environ.items()
            if not (name in self.foreign or name == STEP_SUMMARY or name.startswith(PREFIX))
        }
        return kept | dict(self.variables)


class Runner(Protocol):
    """Runs targets, several at the same time."""

    @property
    def is_closed(self) -> bool:
        """Whether a signal ended it."""

    def run(
        self,
        runs: Sequence[TargetRun],
        folder: Path,
        on_start: Callable[[str], None],
        on_end: Callable[[str, Ended], None],
    ) -> list[Ended]:
        """Run all, starting them in this order, and return how each ended.

        Args:
            runs: of the targets.
            folder: in which each has a folder of its name.
            on_start: is called with the name of a target, in another thread, when its run starts.
            on_end: the same when it has ended.
        """

    def end(self, number: int) -> None:
        """Pass a signal on to all runs, and start no more."""


class LocalRunner:
    """Runs targets in processes on this machine."""

    def __init__(self, jobs: int) -> None:
        """Start nothing yet; `jobs` is the most processes at the same time."""
        self._processes = Processes(jobs)

    @property
    def is_closed(self) -> bool:
        """Whether a signal ended it."""
        return self._processes.is_closed

    def run(
        self,
        runs: Sequence[TargetRun],
        folder: Path,
        on_start: Callable[[str], None],
        on_end: Callable[[str, Ended], None],
    ) -> list[Ended]:
        """As `Runner.run`."""
        with TemporaryDirectory(prefix="purge-conformance-") as configs:
            tasks = [each.task(folder / each.name, Path(configs)) for each in runs]
            return self._processes.run(tasks, on_start, on_end)

    def end(self, number: int) -> None:
        """As `Runner.end`."""
        self._processes.end(number)
