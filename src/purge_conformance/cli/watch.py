"""`run --watch`: a run after each change of the target or of a file, until a signal comes."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from purge_conformance.cli.progress import Reporter
    from purge_conformance.config.loader import Options
    from purge_conformance.engine.session import FrontEnd
    from purge_conformance.engine.watch import Ended


def watch_target(
    values: Options, allowed_hosts: Sequence[str], new_reporter: Callable[[], Reporter], run_once: Callable[..., Ended]
) -> int:
    """Run once and again after each change, each time in a folder of its own; return the exit code of the last run.

    No run asks for consent: `--allow-purge` gives it, or the target is on this machine.

    Args:
        values: option name -> value; `out` is the parent of the folders.
        allowed_hosts: the hosts of `--allow-purge`.
        new_reporter: returns what prints the progress of one run.
        run_once: runs and judges; gets options, hosts, reporter, and what adapts its front end.

    Raises:
        SuiteError: no change could be seen, or a run was refused.
    """
    from purge_conformance.config.build import build_settings
    from purge_conformance.engine.run_folder import PARENT, create_default_folder
    from purge_conformance.engine.watch import Clock, State, require_visible, watch
    from purge_conformance.target.version import read_versions

    settings, file = build_settings(values), values["watch_file"]
    require_visible(partial(read_versions, settings), file, settings.target.url)
    create_folder = partial(create_default_folder, Path(values.get("out", PARENT)))
    options = {name: value for name, value in values.items() if name != "out"}

    def adapt(front_end: FrontEnd) -> FrontEnd:
        return replace(front_end, ask=None, create_folder=create_folder)

    return watch(
        lambda: run_once(options, allowed_hosts, new_reporter(), adapt),
        lambda: State.read(partial(read_versions, settings), file),
        values["interval"],
        Clock(time.monotonic, time.sleep),
        new_reporter().print_line,
    )
