"""Text of others as data: nothing hides in it, and nothing in it is a command for a terminal or a CI system."""

from __future__ import annotations

import json
import sys
import unicodedata

import pytest

from purge_conformance.evidence.safe_text import (
    as_text,
    capitalize,
    one_line,
    printable,
    printable_lines,
    visible,
    visible_json,
)

HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def test_every_hidden_character_is_escaped() -> None:
    """Each character of a hidden category, and beyond the first planes a sample of them, is escaped in ASCII."""
    numbers = [*range(0x20000), *range(0x20000, sys.maxunicode + 1, 331)]
    hidden = "".join(chr(n) for n in numbers if unicodedata.category(chr(n)) in HIDDEN_CATEGORIES)
    assert printable(hidden).isascii()
    assert printable(hidden).isprintable()


@pytest.mark.parametrize("char", ["\u202e", "\u2066", "\u200b", "\ufeff", "\U000e0041", "\u3164", "\ufe0f", "\ud800"])
def test_invisible_character_is_escaped(char: str) -> None:
    """Marks of direction, of width and tags are escaped; so are letters without a shape."""
    assert visible(f"a{char}b") == f"a{char.encode('unicode_escape').decode()}b"


@pytest.mark.parametrize(
    "text", ["plain", "größer 漢字 🚀", "a\u00a0b\u3000c", "'\"\\[bold]", "a :: b", "# ##", "##x", ":"]
)
def test_other_text_stays(text: str) -> None:
    """Text in any language stays as it is."""
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("::error::x", ": :error::x"),
        (" \t::error::x", r" \t::error::x"),
        ("\u00a0 ::set-output name=a::b", "\u00a0 : :set-output name=a::b"),
        ("\r::error::x", r"\r::error::x"),
        ("a\n::error::x", r"a\n::error::x"),
        ("x##vso[task.setvariable]y", "x# #vso[task.setvariable]y"),
        ("##[error]", "# #[error]"),
        ("##teamcity[buildStop]", "# #teamcity[buildStop]"),
        ("####vso[x]", "### #vso[x]"),
        ("#\u200b#vso[x]", r"#\u200b#vso[x]"),
    ],
)
def test_log_commands_are_broken(text: str, expected: str) -> None:
    """No line is a command for a CI system, whatever is before it."""
    assert printable(text) == expected


def test_lines_are_told_apart() -> None:
    """Each further line has a mark, so that it is not taken for one of the suite's own."""
    assert printable_lines("Error: a\nVerdict: conformant\n::error::\r") == [
        "Error: a",
        "  | Verdict: conformant",
        r"  | ::error::\r",
    ]


def test_one_line_is_clipped() -> None:
    """White space becomes one space, and a long text says how much is left out."""
    assert one_line("a \n\t b\u2028c") == "a b c"
    assert one_line("x" * 700, 10) == "xxxxxxxxxx … (690 more characters)"


def test_json_keeps_its_value() -> None:
    """Hidden characters in JSON become escapes of JSON, with the same value."""
    value = {"größe": "\x7f\x9b\u202e\u2028\ufeff\U000e0041\ud800 🚀"}
    document = visible_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(document) == value
    assert (document.isprintable(), "größe" in document, "🚀" in document) == (True, True, True)


@pytest.mark.parametrize(
    ("text", "expected"), [("no answer", "No answer"), ("", ""), ("https://api.example.org is lost",) * 2]
)
def test_sentence_begins_with_capital_unless_with_url(text: str, expected: str) -> None:
    """A URL at the beginning of a sentence stays as it is."""
    assert capitalize(text) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        ("a text", "a text"),
        ({"href": "http://x"}, '{"href": "http://x"}'),
        ([1, None, True], "[1, null, true]"),
        (0, "0"),
    ],
)
def test_value_is_no_python(value: object, text: str) -> None:
    """A JSON value in a sentence is a text, JSON, or `nothing`, and never written as Python writes it."""
    assert as_text(value) == text
