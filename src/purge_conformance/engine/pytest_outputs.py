"""The files that pytest itself writes at its end, which is after the purges."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from purge_conformance.config.loader import FILE_NAME
from purge_conformance.config.options import PREFIX
from purge_conformance.errors import BadSetting
from purge_conformance.evidence.files import require_creatable

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping


def require_outputs(option: Namespace, flags: Mapping[str, str]) -> None:
    """Require that each such file can be created, if there may be judgments; nothing is left of the attempt.

    Args:
        option: pytest's options.
        flags: option with a file -> its flag.

    Raises:
        BadSetting: one cannot.
    """
    for name, flag in flags.items():
        path = getattr(option, name, None)
        if path and _may_judge(option):
            try:
                require_creatable(Path(os.path.expandvars(path)).expanduser())
            except OSError as error:
                reason = f"{path} cannot be written: {error.strerror}"
                raise BadSetting(f"{flag}: {reason}. Give another file, or omit the option.") from None


def _may_judge(option: Namespace) -> bool:
    """Whether a flag, the environment or a file names a target or evidence: other tests need no check."""
    flags = (option.conformance_target, option.conformance_cf, option.evidence, option.conformance_config)
    return any(flags) or any(name.startswith(PREFIX) for name in os.environ) or Path(FILE_NAME).exists()
