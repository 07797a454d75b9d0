"""What is stale is removed from a file of known failures; nothing else in it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.config.known_failures import load
from purge_conformance.config.known_failures_edit import without
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """\
# Our staging foundation.
known_failures:   # reviewed each quarter
"""
FIRST = """\
  # The first defect,
  # in two lines.
  - requirements: [PURGE-01, SEED-01]
    owner: capi
    reason: >-
      Folded,
      in two lines
    expires: 2027-01-31
    signature:
      - requirement: PURGE-01
        expected: 200
        got: 500
      # of seeds
      - requirement: SEED-01
        expected: an event
        got: none
"""
SECOND = """\

  # The second defect.
  - owner: capi
    requirements:
      - SEED-02  # twice
      - SEED-03
    reason: 'quoted'
    expires: 2027-01-31
    signature: [{expected: 200, got: 500}]
"""
TAIL = "\n# The end.\n"
WHOLE = HEAD + FIRST + SECOND + TAIL


@pytest.mark.parametrize(
    ("stale", "text"),
    [
        ([], WHOLE),
        ([(0, "PURGE-01"), (0, "SEED-01")], HEAD + SECOND + TAIL),
        ([(1, "SEED-02"), (1, "SEED-03")], HEAD + FIRST + TAIL),
        (
            [(0, "SEED-01")],
            HEAD
            + FIRST.replace("[PURGE-01, SEED-01]", "[PURGE-01]").partition("      # of seeds\n")[0]
            + SECOND
            + TAIL,
        ),
        ([(1, "SEED-02")], WHOLE.replace("      - SEED-02  # twice\n", "")),
        (
            [(0, "PURGE-01"), (0, "SEED-01"), (1, "SEED-02"), (1, "SEED-03")],
            "# Our staging foundation.\nknown_failures: []\n" + TAIL,
        ),
    ],
)
def test_only_what_is_stale_is_removed(tmp_path: Path, stale: list[tuple[int, str]], text: str) -> None:
    """Comments, order, quotes and empty lines of all else stay, and the rest is a valid file."""
    path = tmp_path / "known.yaml"
    path.write_text(WHOLE, encoding="utf-8")
    assert without(path, stale) == text
    path.write_text(text, encoding="utf-8")
    load(path)


SHARED = """\
known_failures:
  - requirements: [PURGE-01]
    owner: &owner capi
    reason: Known.
    expires: 2027-01-31
    signature: &signature
      - {expected: 200, got: 500}
  - requirements: [SEED-01]
    owner: *owner
    reason: Known.
    expires: 2027-01-31
    signature: *signature
"""


@pytest.mark.parametrize("stale", [(0, "PURGE-01"), (1, "SEED-01")])
def test_what_entries_share_is_not_removed(tmp_path: Path, stale: tuple[int, str]) -> None:
    """An entry that shares a part with another one is refused: without it the file would not be valid, or say less."""
    path = tmp_path / "known.yaml"
    path.write_text(SHARED, encoding="utf-8")
    with pytest.raises(BadSetting, match=rf"what is stale \({stale[1]}\) cannot be removed.*Remove it by hand\.$"):
        without(path, [stale])


def test_entries_in_one_line_are_not_touched(tmp_path: Path) -> None:
    """An entry that shares its line with others is refused with its line."""
    path = tmp_path / "known.yaml"
    row = "requirements: [PURGE-01], owner: a, reason: b, expires: 2027-01-31, signature: [{expected: 1, got: 2}]"
    path.write_text(f"known_failures: [{{{row}}}]\n", encoding="utf-8")
    with pytest.raises(BadSetting, match=r"line 1: it does not begin on a line of its own.*Remove it by hand\.$"):
        without(path, [(0, "PURGE-01")])
