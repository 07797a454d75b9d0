"""`latest`, the symbolic link to the newest of the folders that the user does not name."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from purge_conformance.evidence.jsonl import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LATEST = "latest"


@contextmanager
def latest_run(folder: Path, warn: Callable[[str], None]) -> Iterator[None]:
    """Let the link beside a folder point to it; if the block fails before there is evidence, as it did before.

    If another run has let it point to its own folder meanwhile, it stays so.

    Where it cannot, a warning says so, and the run goes on.

    Args:
        folder: of the run.
        warn: prints a warning.
    """
    link = folder.parent / LATEST
    before = os.readlink(link) if link.is_symlink() else None  # noqa: PTH115 -- the text of the link, as it is
    is_set = _point(link, folder, warn)
    try:
        yield
    except BaseException:
        if is_set and not (folder / FILE_NAME).exists():
            with suppress(OSError):
                if os.readlink(link) == folder.name:  # noqa: PTH115 -- as above
                    _replace(link, before) if before and (link.parent / before).exists() else link.unlink()
        raise


def _point(link: Path, folder: Path, warn: Callable[[str], None]) -> bool:
    """Let the link point to a folder beside it; return whether it does."""
    try:
        if link.exists() and not link.is_symlink():
            reason = "it is no symbolic link"
        else:
            _replace(link, folder.name)
            return True
    except OSError as error:
        reason = error.strerror or str(error)
    warn(f"{link} does not point to this run, because {reason}. Its reports are in {folder}.")
    return False


def _replace(link: Path, target: str) -> None:
    """Let the link point to a name beside it; at each moment there is the old link or the new one."""
    new = link.with_name(f".{link.name}-{target}")
    new.unlink(missing_ok=True)  # a killed run may have left it
    new.symlink_to(target)
    try:
        new.replace(link)
    except OSError:
        new.unlink(missing_ok=True)
        raise
