"""The report of a fleet: fleet.json, the table for the terminal, and the page."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from meta.support.fleet import FOUR, PASSED, entry, fleet_of
from meta.support.page import Elements
from meta.support.results import HOSTILE as HOSTILE_TEXTS
from purge_conformance import catalogue
from purge_conformance.report import fleet_html
from purge_conformance.report.fleet import dump, headline, table
from purge_conformance.report.model import Outcome

HOSTILE = " ".join(HOSTILE_TEXTS)


@pytest.mark.parametrize(
    ("codes", "worst"), [((0, 0), 0), ((0, 2), 2), ((2, 3, 0), 3), ((2, 3, 1, 0), 1), ((0, 3), 3), ((1, 2), 1)]
)
def test_exit_code_is_the_worst(codes: tuple[int, ...], worst: int) -> None:
    """1 is worse than 3, 3 than 2, and 2 than 0."""
    assert fleet_of(*(entry(f"t{n}", code) for n, code in enumerate(codes))).exit_code == worst


def test_json_is_valid_and_in_order() -> None:
    """fleet.json is valid against its schema; targets keep the order of the file, requirements that of spec/."""
    shuffled = entry("zulu", 0, dict(reversed(PASSED.items())))
    data = json.loads(dump(fleet_of(shuffled, *FOUR.entries)))
    jsonschema.Draft202012Validator(catalogue.document("fleet-report.schema.json")).validate(data)
    assert [target["name"] for target in data["targets"]] == ["zulu", "good", "bad", "refused", "open"]
    assert list(data["targets"][0]["outcomes"]) == ["PURGE-01", "SEED-01", "ERROR-01", "LIST-05"]
    assert data["targets"][2]["musts"] == {"passed": 2, "not exercised": 0, "inconclusive": 0, "failed": 1}
    assert (data["exit_code"], data["targets"][3]["verdict"], data["targets"][1]["seconds"]) == (1, None, 12.3)
    assert dump(FOUR) == dump(FOUR)


def test_hidden_characters_are_escapes() -> None:
    """What a target could have put into a reason controls no terminal that shows the file."""
    text = dump(fleet_of(entry("t", 3, reason=HOSTILE)))
    assert not set("\x00\x1b\x9b\u202e") & set(text)
    assert json.loads(text)["targets"][0]["reason"] == HOSTILE


def test_headline_counts_the_worst_first() -> None:
    """The headline says how many targets ended how."""
    assert headline(FOUR) == "1 of 4 targets failed, 1 inconclusive, 1 refused, 1 passed"
    assert headline(fleet_of(FOUR.entries[0])) == "1 of 1 target passed"


def test_table_fits_into_80_columns() -> None:
    """A row per target, whatever its name and its verdict are, then a line per reason."""
    long = entry("n" * 40, 3, PASSED, verdict="v" * 60, seconds=99_999)
    lines = list(table(fleet_of(*FOUR.entries, long)))
    assert max(map(len, lines)) <= 80
    assert lines[2].split() == ["bad", "non-conformant", "2", "1", "1", "12", "s"]
    assert lines[3].split() == ["refused", "refused", "2", "12", "s"]
    assert lines[6:] == ["refused: There is no admin token."]


def test_notable_requirements() -> None:
    """Requirements that failed, stayed open or differ are notable; what is not exercised anywhere is not."""
    assert FOUR.notable == ("SEED-01", "ERROR-01")
    same = PASSED | {"ERROR-01": Outcome.NOT_EXERCISED}
    assert fleet_of(entry("a", 0, same), entry("b", 0, same), entry("c", 2)).notable == ()


def test_page_has_each_target_and_each_requirement() -> None:
    """Each target has a row, a column in both matrices, and a link to its report, or to what its run printed."""
    lost = entry("lost", 3, reason="Not started.", seconds=0.0)
    page = Elements(fleet_html.render(replace(FOUR, entries=(*FOUR.entries, lost)), "run.log"))
    assert [name for name in page.attributes("tr", "id") if name] == [f"target-{n}" for n in range(1, 6)]
    links = [str(link) for link in page.attributes("a", "href") if not str(link).startswith("#")]
    assert links == ["good/report.html", "bad/report.html", "refused/run.log", "open/report.html"]
    assert page.attributes("a", "href").count("#target-2") == 2
    assert page.text.count("SEED-01") == 3  # in the row of the target, and in both matrices
    assert page.text.count("not exercised") >= 2
    assert "3 passed, 1 failed" not in page.text
    assert "2 passed, 1 failed" in page.text
    assert "1 of 4 targets" not in page.text
    assert "1 of 5 targets failed, 2 inconclusive, 1 refused, 1 passed. Exit code 1." in page.text


def test_page_loads_nothing_and_escapes() -> None:
    """The page has no script and no address but links; text of others is data."""
    page = Elements(fleet_html.render(fleet_of(entry("t", 1, PASSED, verdict=HOSTILE, reason=HOSTILE)), "run.log"))
    assert not {"script", "img", "link", "iframe", "object"} & {tag for tag, _ in page.found}
    assert not any(name.startswith("on") for _, attributes in page.found for name in attributes)
    assert "default-src 'none'; style-src 'unsafe-inline'" in page.attributes("meta", "content")
    assert not set("\x00\x1b\x9b\u202e") & set(page.text)
