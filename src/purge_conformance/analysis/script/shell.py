"""The lines of a script, and the variables that replace what the run knew by other names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from purge_conformance.evidence import curl

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Evidence, Exchange

USABLE = re.compile(r"(?!\.+$)[\w.~-]{6,200}", re.ASCII)  # of a guid of the run that a variable may replace
RESERVED = {"API", "HOST", "IFS", "PATH", "RUN", "SPACE_GUID", "WORK"}


@dataclass
class Shell:
    """The lines of a script so far, and the variables that they set.

    Attributes:
        evidence: of the run.
        variables: text of the run -> the variable that replaces it.
        lines: of the script.
    """

    evidence: Evidence
    variables: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def add(self, *lines: str) -> None:
        """Append lines."""
        self.lines += lines

    def quote(self, text: str) -> str:
        """Quote a word, with the variables."""
        return curl.shell_quote(text, self.variables)

    def command(self, exchange: Exchange) -> str:
        """Return the line that sends a request again."""
        return curl.command(exchange, self.evidence.header, self.variables | {self.evidence.header.target: "API"})

    def name(self, guid: object, stem: str) -> str:
        """Return a new variable for a guid."""
        stem = re.sub(r"\W", "_", stem, flags=re.ASCII).upper()
        taken = {*self.variables.values(), *RESERVED}
        name = next(n for n in (stem, *(f"{stem}_{i}" for i in range(2, 10_000))) if n not in taken)
        for text in {guid, quote(guid, safe="")} if isinstance(guid, str) else ():
            if USABLE.fullmatch(text):
                self.variables[text] = name
        return name
