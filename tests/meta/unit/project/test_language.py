"""Users read plain English: the field's terms, and none of the words that an earlier version used privately."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from meta.support import user_text
from meta.support.paths import ROOT
from meta.support.user_text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


# pattern -> what to write instead
PRIVATE_WORDS = {
    r"tells?|told": "what happens: shows, prints, says, distinguishes, does not decide",
    r"whoever|whatever is|somebody|someone|nobody|anybody": "the actor: another client, a user, no client",
    r"mend(s|ed|ing)?": "fix",
    r"put(s|ting)? (up|down to)|puts? it down": "create; attribute to",
    r"taken down|takes? down|taking down": "deleted, deletes",
    r"dear(er|est)?": "expensive",
    r"haste|hasty": "concurrency",
    r"by turns": "alternately",
    r"(came|come|comes) to (its|an) end": "expired, ended",
    r"save (those|that|for|one|what|where|the|in|by|when|if)": "except",
    r"odd(er)? (purge|request|input|one|header|name)s?": "unexpected",
    r"everything there is|looks? at everything": "take a snapshot",
    r"stir(s|red|ring)?": "record an event",
    r"demolish(es|ed|ing)?": "delete the apps",
    r"as ever": "as before",
    r"whole purge|no purge's": "a complete purge; or the requirement that a purge violates",
    r"Give the run what": "the flag to give, the file to edit or the command to run",
    r"(?<!there )(is|are) (?-i:none)": "is not listed, does not exist; of a value: `none`",
    r"be it|be they": "whether",
    r"blame[sd]?": "cause",
    r"cures?": "next step",
    r"experiments?": "scenario",
    r"is no (YAML|JSON|number|URL)": "is not valid YAML",
    r"lest": "so that ... not",
    r"afresh|anew": "again, from a clean state",
    r"standstill": "without started apps",
    r"waited out": "retried",
    r"of another make|makes of servers?": "server profile",
    r"nothing but": "only",
    r"misshapen": "violates the schema",
    r"in company|get along": "in a group; are independent",
    r"(has|have|had) no occasion": "had nothing to judge",
    r"looks (of|taken)|(first|second|two) looks?": "snapshot",
    r"provok(e|es|ed|ing)": "induce",
    r"in flux": "changing",
    r"(list|lists) of (afterwards|before)": "the new list, the old list",
}
# file -> words that are allowed there, and the reason
ALLOWED = {"format1_names.py": ({"demolish"}, "scenarios and steps of evidence format 1 keep their names")}
KINDS: tuple[Callable[[], Iterator[Text]], ...] = (
    user_text.code_texts,
    user_text.help_texts,
    user_text.docstrings,
    user_text.claims,
    user_text.judgment_texts,
    user_text.page_texts,
    user_text.spec_texts,
    user_text.report_texts,
)


def find_private_words(text: Text) -> Iterator[tuple[str, str]]:
    """Yield each private word of a text, with a line that says where it is and what to write instead."""
    for pattern, replacement in PRIVATE_WORDS.items():
        for found in re.finditer(rf"(?<![\w`-])({pattern})(?![\w-])", text.words, re.IGNORECASE):
            around = " ".join(text.words[max(0, found.start() - 60) : found.end() + 60].split())
            yield found[0], f"{text.place}: {found[0]!r} in {around!r}. Write: {replacement}"


def is_allowed(text: Text, word: str) -> bool:
    """Whether the allow-list has the word for the file of the text."""
    return word in ALLOWED.get(text.path.name, ((), ""))[0]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_private_words(kind: Callable[[], Iterator[Text]]) -> None:
    """No text that users read contains a private word."""
    texts = list(kind())
    assert texts, "The scan found no text. Correct the paths in tests/meta/support/user_text.py."
    lines = [line for text in texts for word, line in find_private_words(text) if not is_allowed(text, word)]
    assert not lines, "\n".join(lines)


def test_allow_list_is_needed() -> None:
    """Every word of the allow-list occurs in its file."""
    texts = [text for kind in KINDS for text in kind() if text.path.name in ALLOWED]
    found = {(text.path.name, word) for text in texts for word, _ in find_private_words(text)}
    assert {(name, word) for name, (words, _) in ALLOWED.items() for word in words} <= found


@pytest.mark.parametrize(
    ("sentence", "is_private"),
    [
        ("The hook tells the state.", True),
        ("The report has a cure\nfor each requirement.", True),
        ("A state that the target had is none.", True),
        ("Give the run what the reason names.", True),
        ("The key `blame` is now `cause`.", False),
        ("If there is none, the token stays secure.", False),
    ],
)
def test_scan(sentence: str, is_private: bool) -> None:  # noqa: FBT001 -- a column of the table
    """The scan finds private words across lines, and skips quoted names and longer words."""
    assert any(find_private_words(Text(ROOT / "README.md", 1, sentence))) is is_private
