"""Writes evidence as it comes, so that a killed run leaves all that it collected."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from purge_conformance.errors import BadSetting
from purge_conformance.evidence.records import (
    FILE_NAME,
    LARGE_BODY_BYTES,
    Evidence,
    Exchange,
    Header,
    Note,
    sort_exchanges,
    to_json,
)

if TYPE_CHECKING:
    from pathlib import Path


class Journal:
    """An open `evidence.jsonl`, and the same records in memory.

    Attributes:
        error: why nothing more is written; empty while all is well.
    """

    error = ""

    def __init__(self, folder: Path, header: Header) -> None:
        """Begin the journal of a new run.

        Raises:
            BadSetting: the folder cannot be made, or holds the evidence of another run.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = (folder / FILE_NAME).open("x", encoding="utf-8")
        except FileExistsError:
            raise BadSetting(f"{folder} holds the evidence of another run. Name another folder with --out.") from None
        except OSError as error:
            raise BadSetting(f"{folder} cannot be written: {error.strerror}. Name another folder with --out.") from None
        self.header = header
        self.exchanges: list[Exchange] = []
        self.notes: list[Note] = []
        self._first_by_body: dict[bytes, Exchange] = {}  # long body -> the exchange that had it first
        self._write(to_json(header))

    def __enter__(self) -> Self:
        """Return the journal; leaving the block closes the file."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file; what was written stays."""
        with suppress(OSError):  # it tries once more to write what `trouble` tells of
            self._file.close()

    def record(self, exchange: Exchange) -> Exchange:
        """Record an exchange and return it; a long body that came before is shared with the exchange of that time."""
        shared, body_of = self._share_body(exchange)
        self.exchanges.append(shared)
        self._write(to_json(shared, body_of))
        return shared

    def note(self, experiment: str, name: str, value: Any) -> None:  # noqa: ANN401 -- any JSON value
        """Record what an experiment learnt."""
        note = Note(experiment, name, value)
        self.notes.append(note)
        self._write(to_json(note))

    def sync(self) -> None:
        """Return only when all that was recorded is on the disk."""
        if not self.error:
            os.fsync(self._file.fileno())

    def evidence(self) -> Evidence:
        """Return all that was recorded so far."""
        return Evidence(self.header, sort_exchanges(self.exchanges), tuple(self.notes))

    def _share_body(self, exchange: Exchange) -> tuple[Exchange, int | None]:
        """Return the exchange, with the body of the one that had the same first, if any; and the number of that one."""
        if len(exchange.body) < LARGE_BODY_BYTES:
            return exchange, None
        first = self._first_by_body.setdefault(exchange.body, exchange)
        return (exchange, None) if first is exchange else (replace(exchange, body=first.body), first.n)

    def _write(self, line: str) -> None:
        if self.error:
            return  # a line after one that was cut off could not be read
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            self.error = f"The evidence could not be written: {error.strerror}. Make room, or name another --out."


class NullJournal(Journal):
    """A journal that keeps nothing, for what only reads and is over once it has said what it saw."""

    def __init__(self) -> None:  # it has no file
        """Keep nothing."""
        self.exchanges: list[Exchange] = []
        self.notes: list[Note] = []

    def __exit__(self, *_: object) -> None:
        """Leave nothing behind."""

    def record(self, exchange: Exchange) -> Exchange:
        """Return the exchange."""
        return exchange

    def note(self, experiment: str, name: str, value: Any) -> None:  # noqa: ANN401 -- any JSON value
        """Forget it."""

    def sync(self) -> None:
        """Return at once."""
