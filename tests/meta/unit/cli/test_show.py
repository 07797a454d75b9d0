"""The command `show`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from meta.support.invoke import invoke
from purge_conformance.cli.show import MAX_BODY_CHARS
from purge_conformance.evidence.journal import Journal
from purge_conformance.evidence.steps import Phase, Place, Scenario, Step

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.story import EvidenceBuilder


@pytest.fixture
def folder(builder: EvidenceBuilder, tmp_path: Path) -> Path:
    """The folder of a run with three exchanges."""
    sent, got = (("Accept", "application/json"),), (("X-Odd", "\x1b[2J"),)
    builder.add_purge(Scenario.PURGE, status=500, request_headers=sent, response_headers=got)
    place = Place(Step.PURGE, phase=Phase.AFTER)
    builder.add_exchange(Scenario.PURGE, place, body=b"\x1b[31mred\n##[error]bad\n" + b"x" * 30_000, round=2)
    builder.add_exchange(Scenario.LISTS, Step.LIST, status=None, error="timed out")
    with Journal(tmp_path / "run", builder.evidence.header) as journal:
        for exchange in builder.exchanges:
            journal.record(exchange)
    return tmp_path / "run"


def test_exchange_is_readable(folder: Path) -> None:
    """`show` prints place, role, time, request, and the answer with its JSON indented."""
    output = invoke("show", str(folder), "1").output
    assert output.startswith("Exchange 1: purge, step purge, as admin\nsent 2026-07-01T12:00:01")
    assert "answered after 0.500 s" in output
    assert (
        "\n  POST /v3/app_usage_events/actions/destructively_purge_all_and_reseed\n  Accept: application/json\n"
        in output
    )
    assert "\n  500 Internal Server Error\n" in output
    assert "(2 bytes, JSON, indented)" in output


def test_hostile_text_is_escaped_and_bounded(folder: Path) -> None:
    """No control character and no command for a CI system reaches the terminal, and a long body is cut with a note."""
    output = invoke("show", str(folder), "2").output
    assert "\x1b" not in output + invoke("show", str(folder), "1").output
    assert "##[" not in output
    assert r"  \x1b[31mred" in output
    assert "30,022 bytes, unchanged; the first 20,000 characters" in output
    assert len(output) < MAX_BODY_CHARS + 1_000
    assert "purge (round 2), step purge after" in output


def test_missing_response_is_explained(folder: Path) -> None:
    """An exchange without a response says why."""
    assert "No response: timed out" in invoke("show", str(folder), "3").output


def test_json_has_the_same(folder: Path) -> None:
    """`--json` prints the members, bounded as well."""
    data = json.loads(invoke("show", str(folder), "2", "--json").output)
    assert (data["scenario"], data["step"], data["phase"], data["round"]) == ("purge", "purge", "after", 2)
    assert data["response"]["body_bytes"] == 30_022
    assert data["response"]["body"].endswith("more characters)")


def test_unknown_number_names_the_range(folder: Path) -> None:
    """A number that the run does not have is a usage error that names those that it has."""
    result = invoke("show", str(folder), "4")
    assert (result.exit_code, "has no exchange 4. Give a number from 1 to 3" in result.output) == (2, True)
