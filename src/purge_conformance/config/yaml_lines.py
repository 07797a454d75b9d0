"""A YAML file as plain data in which every scalar is a text, with the line of each value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from pathlib import Path

MAX_FILE_BYTES = 1024 * 1024
MAX_DEPTH = 12
MAX_VALUES = 100_000  # aliases of aliases stand for as many as a user likes

Place = tuple[str | int, ...]  # the keys and indexes that lead to a value


class LinedDocument:
    """A file, its data, and where each value begins and ends.

    Attributes:
        name: of the file, for messages.
        text: its content.
        data: mappings, lists and texts.
        nodes: the keys and indexes that lead to a value -> its node, which has its lines.
    """

    def __init__(self, name: str, text: str, root: yaml.Node | None) -> None:
        """Read the nodes.

        Raises:
            BadSetting: a key occurs twice, or is no text, or the document is too deep or has too many values.
        """
        self.name = name
        self.text = text
        self.nodes: dict[Place, yaml.Node] = {}
        self.data: Any = None if root is None else self._read(root, ())

    def line(self, place: Place) -> int:
        """Return the line of a value, from 1; of a missing one, that of what would contain it."""
        while place and place not in self.nodes:
            place = place[:-1]
        node = self.nodes.get(place)
        return node.start_mark.line + 1 if node else 1

    def error(self, place: Place, message: str) -> BadSetting:
        """Return an error about the value at a place."""
        return BadSetting(f"{self.name}, line {self.line(place)}: {message}")

    def _read(self, node: yaml.Node, place: Place) -> Any:  # noqa: ANN401 -- YAML of any shape
        self.nodes[place] = node
        if len(self.nodes) > MAX_VALUES:
            raise self.error(place, f"it has more than {MAX_VALUES:,} values. Write them without aliases, or fewer.")
        if len(place) > MAX_DEPTH:
            raise self.error(place, f"it is nested too deeply. Write at most {MAX_DEPTH} levels.")
        if isinstance(node, yaml.SequenceNode):
            return [self._read(each, (*place, number)) for number, each in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._read_mapping(node, place)
        return node.value

    def _read_mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.error(place, "a key is no text. Write `key: value`.")
            if key.value in data:
                self.nodes[(*place, key.value)] = key
                raise self.error((*place, key.value), f"the key {key.value} occurs twice. Remove one.")
            data[key.value] = self._read(value, (*place, key.value))
        return data


def load(path: Path, flag: str, name: str | None = None) -> LinedDocument:
    """Return a YAML file.

    Args:
        path: of the file.
        flag: that named it, for the message.
        name: how the user named it, if this is a copy.

    Raises:
        BadSetting: it cannot be read, or is not valid YAML.
    """
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        raise BadSetting(f"{path} cannot be read: {reason}. Give a readable file with {flag} FILE.") from None
    if len(text) > MAX_FILE_BYTES:
        raise BadSetting(f"{path} has more than {MAX_FILE_BYTES:,} bytes. Give another file with {flag} FILE.")
    return parse(text, name or str(path))


def parse(text: str, name: str) -> LinedDocument:
    """Return a document from its text.

    Args:
        text: of the file.
        name: of the file, for messages.

    Raises:
        BadSetting: it is not valid YAML.
    """
    try:
        return LinedDocument(name, text, yaml.compose(text, yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        position = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise BadSetting(f"{name}{position}: this is not valid YAML ({problem}). Fix it there.") from None
    except RecursionError:
        raise BadSetting(f"{name} is nested too deeply. Write it as `known-failures write` does.") from None
