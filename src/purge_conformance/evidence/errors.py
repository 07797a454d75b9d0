"""Shows the error of an exchange without a response to users."""

from __future__ import annotations

import re

# The name of the exception and its number, for example `ConnectionRefusedError: [Errno 111] `.
ERROR_PREFIX = re.compile(r"^[A-Za-z]+: (\[Errno -?\d+\] )?(?=.)")


def readable_error(error: str | None) -> str:
    """Return why there was no response, without the name of an exception if it has a message."""
    return ERROR_PREFIX.sub("", error or "reason unknown")
