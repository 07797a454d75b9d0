"""Text of others as data: no character of it controls a terminal, a CI system or an XML parser, or hides."""

from __future__ import annotations

import json
import re
import unicodedata
from functools import lru_cache

CONTINUATION = "  | "  # before each further line of a text
# Anything but these is looked at: most text is ASCII that can be printed.
_UNUSUAL = re.compile(r"[^\n\t -~]")
# Letters and marks without a shape, which are no control characters: fillers, joiners, variation selectors.
_SHAPELESS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# Azure Pipelines, TeamCity and old GitHub runners execute `##name[...]` anywhere in a line of a log; GitHub executes
# `::name::` at the start of a line, behind white space as well.
_LOG_COMMAND = re.compile(r"##(?=[\w.-]*\[)")
_URL_AT_START = re.compile(r"[a-z][a-z0-9+.-]*://")
_LOG_COMMAND_AT_START = re.compile(r"^(\s*:)(?=:)")


def visible(text: str) -> str:
    r"""Return the text with every hidden character escaped, for example `\x1b`; legal in XML, safe on a terminal.

    Hidden are control and format characters, line and paragraph separators, lone surrogates, private and unassigned
    characters, and those without a shape. Tab and line feed stay.
    """
    return _UNUSUAL.sub(lambda match: _show(match[0]), text)


def visible_json(document: str) -> str:
    r"""Return a text of JSON in which each hidden character is an escape of JSON, so that it has the same value."""
    return _UNUSUAL.sub(lambda match: match[0] if _is_shown(match[0]) else _json_escape(match[0]), document)


@lru_cache(maxsize=4096)
def _show(char: str) -> str:
    return char if _is_shown(char) else char.encode("unicode_escape").decode("ascii")


@lru_cache(maxsize=4096)
def _is_shown(char: str) -> bool:
    return (char.isprintable() or unicodedata.category(char) == "Zs") and not _SHAPELESS.match(char)


def _json_escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def as_text(value: object) -> str:
    """Return a JSON value as a reader knows it: a text as it is, null or a missing member as `nothing`, else JSON."""
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def clip(text: str, bound: int) -> str:
    """Return at most `bound` characters of the text, and how many more there are."""
    return text if len(text) <= bound else f"{text[:bound]} … ({len(text) - bound:,} more characters)"


def one_line(text: str, bound: int = 600) -> str:
    """Return the text clipped, visible, and on one line."""
    return visible(" ".join(clip(text, bound).split()))


def printable(text: str) -> str:
    r"""Return the text as one line for a terminal or a log: all of it visible, without a command for a CI system."""
    line = visible(text).replace("\n", r"\n").replace("\t", r"\t")
    return _LOG_COMMAND_AT_START.sub(r"\1 ", _LOG_COMMAND.sub("# #", line))


def printable_lines(text: str) -> list[str]:
    """Return each line of a text as `printable`; further lines begin with a mark, as a target may have sent them."""
    first, *more = text.split("\n")
    return [printable(first), *(printable(CONTINUATION + line) for line in more)]


def capitalize(text: str) -> str:
    """Return a text with a capital at its beginning, unless it begins with a URL."""
    return text if _URL_AT_START.match(text) else f"{text[:1].upper()}{text[1:]}"
