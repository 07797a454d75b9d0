"""Writes evidence as it is recorded, so that a killed run leaves all that it collected."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from purge_conformance.config.settings import MIB
from purge_conformance.errors import BadSetting, ChecksFailed
from purge_conformance.evidence import files
from purge_conformance.evidence.bodies import LateBody, body_of, memory_of
from purge_conformance.evidence.jsonl import FILE_NAME, build_evidence, to_json
from purge_conformance.evidence.stored_bodies import LONG_BODY_BYTES, StoredBodies

if TYPE_CHECKING:
    from pathlib import Path

    from purge_conformance.config.settings import Limits
    from purge_conformance.evidence.bodies import Body
    from purge_conformance.evidence.jsonl import Record
    from purge_conformance.evidence.records import Evidence, Exchange, Header


class Journal:
    """An open `evidence.jsonl`, and the same records in memory.

    Attributes:
        error: why nothing more is written; empty while there is no error.
        records: all but the exchanges: notes, ends of lists and spans.
        size: bytes of the file.
    """

    error = ""
    next_step = "Give a larger --max-memory, or judge a smaller foundation."

    def __init__(self, folder: Path, header: Header) -> None:
        """Begin the journal of a new run.

        Raises:
            BadSetting: the folder cannot be created, or it holds the evidence of another run.
        """
        try:
            self._has_own_folder = not folder.exists()
            files.create_folder(folder)
            self._file = files.open_new(folder / FILE_NAME)
            files.lock(self._file)
        except FileExistsError:
            raise BadSetting(f"{folder} holds the evidence of another run. Name another folder with --out.") from None
        except OSError as error:
            raise BadSetting(f"{folder} cannot be written: {error.strerror}. Name another folder with --out.") from None
        self.header, self._path = header, folder / FILE_NAME
        self.exchanges: list[Exchange] = []
        self.records: list[Record] = []
        self.size = 0
        self._memory = 0
        self._stored = StoredBodies(folder / FILE_NAME)
        self._first_by_body: dict[bytes, tuple[int, Body]] = {}  # digest -> the exchange that had a long body first
        self._write(to_json(header))

    def __enter__(self) -> Self:
        """Return the journal; leaving the block closes the file.

        If `ChecksFailed` was raised, it deletes the file, and the folder if the journal created it.
        """
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Close the file; its content stays, unless the run was refused before it changed anything."""
        with suppress(OSError):  # closing tries once more to write the line of `error`
            self._file.close()
        if isinstance(error, ChecksFailed):
            self._path.unlink(missing_ok=True)
            if self._has_own_folder:
                with suppress(OSError):  # it holds something else
                    self._path.parent.rmdir()

    def record(self, exchange: Exchange) -> Exchange:
        """Record an exchange and return it; equal long bodies are shared with the first exchange that had them."""
        offset = self.size
        first, body = self._first_with(exchange)
        self._write(to_json(exchange, None if first == exchange.n else first))
        if first == exchange.n and not self.error:
            self._stored.leave(body, offset)
        recorded = replace(exchange, body=body)
        self.exchanges.append(recorded)
        self._memory += memory_of(recorded)
        return recorded

    @property
    def memory(self) -> int:
        """An estimate of the memory, in bytes, of all exchanges so far and of what judging keeps about them."""
        return self._memory + self._stored.rows.held

    def excess(self, limits: Limits) -> str:
        """Return which bound the exchanges exceed, and the next step; empty if there is room for more."""
        for used, bound, what in (
            (self.memory, limits.max_memory * MIB, "of memory"),
            (self.size, limits.max_received_bytes, "in total"),
        ):
            if used > bound:
                return f"The responses of the target take more than {bound // MIB} MiB {what}. {self.next_step}"
        return ""

    def add(self, record: Record) -> None:
        """Record a note, the end of a list or a span."""
        self.records.append(record)
        self._write(to_json(record))

    def sync(self) -> None:
        """Return once everything recorded is on the disk."""
        if not self.error:
            try:
                os.fsync(self._file.fileno())
            except OSError as error:
                self._stop(error)

    def evidence(self) -> Evidence:
        """Return all that was recorded so far."""
        return build_evidence(self.header, [*self.exchanges, *self.records])

    def _first_with(self, exchange: Exchange) -> tuple[int, Body]:
        """Return the number of the exchange that had an equal long body first, and the body; or else its own."""
        data = exchange.body
        own = exchange.n, self._stored.body(data)
        if len(data) < LONG_BODY_BYTES:
            return own
        return self._first_by_body.setdefault(own[1].digest, own)

    def _write(self, line: str) -> None:
        if self.error:
            return  # a line after an incomplete one could not be read
        try:
            self._file.write(line)  # it is ASCII
            self._file.write("\n")
            self._file.flush()
            self.size += len(line) + 1
        except OSError as error:
            self._stop(error)

    def _stop(self, error: OSError) -> None:
        self.error = f"The evidence could not be written: {error.strerror}. Make room, or name another --out."


class NullJournal(Journal):
    """A journal that stores nothing, for commands that leave no evidence."""

    next_step = "Check what the target answers: a Cloud Foundry sends less."

    def __init__(self, *, keeps: bool = True) -> None:  # it has no file
        """Store nothing; `keeps` says whether the caller keeps the exchanges in memory."""
        self.size = self._memory = 0
        self._keeps = keeps
        self.exchanges: list[Exchange] = []
        self.records: list[Record] = []

    def __exit__(self, *_: object) -> None:
        """Do nothing."""

    @property
    def memory(self) -> int:
        """An estimate of the memory, in bytes, of the exchanges that are kept."""
        return self._memory

    def record(self, exchange: Exchange) -> Exchange:
        """Return the exchange."""
        body = body_of(exchange)
        self.size += len(body.raw if isinstance(body, LateBody) else body.data)
        self._memory += memory_of(exchange) if self._keeps else 0
        return exchange

    def add(self, record: Record) -> None:
        """Do nothing."""

    def sync(self) -> None:
        """Do nothing."""
