"""Removes entries from a file of known failures; every other line of it stays as it is, comments and order included."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from purge_conformance.config import yaml_lines
from purge_conformance.config.known_failures import ENTRIES, FLAG
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from purge_conformance.config.yaml_lines import LinedDocument, Place


def without(path: Path, stale: Iterable[tuple[int, str]]) -> str:
    """Return the text of a file without stale requirements, and without entries that have no other.

    Args:
        path: of a valid file.
        stale: the number of an entry, from 0, and a requirement of it.

    Raises:
        BadSetting: such an entry does not begin on a line of its own, or shares a part with another one.
    """
    document = yaml_lines.load(path, FLAG)
    editor = _Editor(document, document.text.split("\n"))
    by_entry: dict[int, list[str]] = {}
    for number, name in stale:
        by_entry.setdefault(number, []).append(name)
    for number, names in by_entry.items():
        editor.shorten((ENTRIES, number), names)
    text = editor.text()
    _require_same_rest(document, text, by_entry)
    return text


def _require_same_rest(document: LinedDocument, text: str, stale: Mapping[int, Collection[str]]) -> None:
    """Require that a text holds what a file has besides what is stale: other entries may use parts of it by aliases.

    Raises:
        BadSetting: it does not.
    """
    rows: list[dict[str, Any]] = document.data[ENTRIES]
    rest = [row for number, row in enumerate(rows) for row in _rest(row, stale.get(number, ()))]
    try:
        is_same = yaml_lines.parse(text, document.name).data == {**document.data, ENTRIES: rest}
    except BadSetting:
        is_same = False
    if not is_same:
        names = ", ".join(dict.fromkeys(name for names in stale.values() for name in names))
        raise BadSetting(
            f"{document.name}: what is stale ({names}) cannot be removed without other changes, as by an anchor that "
            "another entry uses. Remove it by hand."
        )


def _rest(row: dict[str, Any], stale: Collection[str]) -> Iterator[dict[str, Any]]:
    """Yield an entry without stale requirements; nothing if it has no other."""
    ids = _ids(row)
    if left := [name for name in ids if name not in stale]:
        signature = [each for each in row["signature"] if each.get("requirement") not in stale] or row["signature"]
        yield row | ({"requirements": left, "signature": signature} if len(left) < len(ids) else {})


def _ids(row: dict[str, Any]) -> list[str]:
    ids: str | list[str] = row["requirements"]
    return ids if isinstance(ids, list) else [ids]


@dataclass
class _Editor:
    """The lines of a file, and what becomes of them.

    Attributes:
        document: the file.
        lines: its lines.
        removed: the numbers of the lines to remove, from 0.
        kept: how many entries are left.
    """

    document: LinedDocument
    lines: list[str]
    removed: set[int] = field(default_factory=set)
    kept: int = field(init=False)

    def __post_init__(self) -> None:
        """Count the entries."""
        self.kept = len(self.document.data[ENTRIES])

    def text(self) -> str:
        """Return the text of the file; a list without an entry is written as such."""
        if not self.kept:
            line = self.document.line((ENTRIES,)) - 1
            while not self.lines[line].startswith(ENTRIES):
                line -= 1
            self.lines[line] = f"{ENTRIES}: []"
        return "\n".join(line for number, line in enumerate(self.lines) if number not in self.removed)

    def shorten(self, entry: Place, names: list[str]) -> None:
        """Remove requirements from an entry, or the entry if it has no other."""
        row = self.document.data[ENTRIES][entry[1]]
        ids = _ids(row)
        if set(ids) <= set(names):
            self.kept -= 1
            self._remove(entry)
            return
        signatures = [n for n, each in enumerate(row["signature"]) if each.get("requirement") in names]
        if len(signatures) < len(row["signature"]):
            for number in signatures:
                self._remove((*entry, "signature", number))
        self._replace_list((*entry, "requirements"), [name for name in ids if name not in names])

    def _remove(self, place: Place) -> None:
        """Remove a member of a list with the comments right above it, and one empty line before these."""
        first, last = self._span(place)
        self.removed.update(range(first, last + 1))
        while self.lines[first - 1].lstrip().startswith("#"):
            first -= 1
            self.removed.add(first)
        if not self.lines[first - 1].strip():
            self.removed.add(first - 1)

    def _span(self, place: Place) -> tuple[int, int]:
        """Return the first and the last line of a member of a list.

        Raises:
            BadSetting: it does not begin on a line of its own.
        """
        node = self.document.nodes[place]
        first = node.start_mark.line
        if not self.lines[first][: node.start_mark.column].strip() == "-":
            raise BadSetting(
                f"{self.document.name}, line {first + 1}: it does not begin on a line of its own, so that it cannot be "
                "removed without other changes. Remove it by hand."
            )
        inner = [each for key, each in self.document.nodes.items() if key[: len(place)] == place]
        ends = [each.end_mark for each in inner if not isinstance(each, yaml.CollectionNode) or each.flow_style]
        return first, max(mark.line if mark.column else mark.line - 1 for mark in ends)

    def _replace_list(self, place: Place, items: list[str]) -> None:
        """Write a list of ids in one line, whatever its style was."""
        node = self.document.nodes[place]
        start, end = node.start_mark, node.end_mark
        head = self.lines[start.line][: start.column]
        if isinstance(node, yaml.CollectionNode) and node.flow_style:
            self.lines[start.line] = f"{head}[{', '.join(items)}]{self.lines[end.line][end.column :]}"
            self.removed.update(range(start.line + 1, end.line + 1))
        else:
            for number, name in enumerate(self.document.data[place[0]][place[1]][place[2]]):
                if name not in items:
                    self._remove((*place, number))
