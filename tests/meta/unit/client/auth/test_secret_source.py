"""Secrets in variables and files: read again on each request, within bounds, and never printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.client.auth.secret_source import StoredToken, parse_secret_source
from purge_conformance.errors import BadSetting
from purge_conformance.evidence.redaction import Redactor

if TYPE_CHECKING:
    from pathlib import Path


TOKEN = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0LXBheWxvYWQ.c2VjcmV0LXNpZ25hdHVyZQ"  # noqa: S105 -- nobody's


def token_source(text: str, **environ: str) -> StoredToken:
    """Return the source of an admin's token."""
    return StoredToken("admin", parse_secret_source("token of admin", text, environ, Redactor()))


@pytest.mark.parametrize("text", [TOKEN, f"bearer {TOKEN}", f" Bearer  {TOKEN}\n", f"{TOKEN}\r\n"])
def test_token_has_no_scheme(text: str, tmp_path: Path) -> None:
    """A token is read from a variable and from a file, without its scheme and white space."""
    (tmp_path / "token").write_text(text, encoding="utf-8")
    found = [token_source("env:A", A=text), token_source(f"file:{tmp_path / 'token'}")]
    assert {one.fetch().value for one in found} == {TOKEN}


def test_source_is_read_again(tmp_path: Path) -> None:
    """A file and a command may return a new token later, a variable does not."""
    path = tmp_path / "token"
    path.write_text("the-first", encoding="utf-8")
    source = token_source(f"file:{path}")
    first = source.fetch().value
    path.write_text("the-second", encoding="utf-8")
    assert (first, source.fetch().value) == ("the-first", "the-second")
    assert [token_source(text).is_renewable for text in ("env:A", f"file:{path}", "command:x")] == [False, True, True]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("env:NOTHING", "is not set"),
        ("env:SPACED", "white space"),
        ("file:/no/such/file", "No such file"),
        ("command:'", "cannot be parsed"),
        ("vault:x", "env:NAME, file:PATH or command:LINE"),
        ("env:", "env:NAME, file:PATH or command:LINE"),
    ],
)
def test_invalid_token_is_rejected(text: str, words: str) -> None:
    """A source without a usable token is a bad setting that says why."""
    with pytest.raises(BadSetting, match=words):
        token_source(text, SPACED="two words", PATH="/usr/bin:/bin").fetch()


@pytest.mark.parametrize("text", [f"env:{TOKEN}", f"file:{TOKEN}", TOKEN, f"env:A {TOKEN}"])
def test_misplaced_token_is_not_printed(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A token in the place of its source is not printed."""
    with pytest.raises(BadSetting) as caught:
        token_source(text, A=f"{TOKEN} {TOKEN}").fetch()
    assert "c2VjcmV0" not in f"{caught.value} {capfd.readouterr()}"


@pytest.mark.parametrize(("name", "is_shown"), [("ADMIN_TOKEN", True), ("CF_TOKEN_2", True), ("tok3n-abc.def", False)])
def test_missing_variable_is_named(name: str, *, is_shown: bool) -> None:
    """A variable that is not set is named, unless its name could be a secret that was pasted."""
    with pytest.raises(BadSetting, match="is not set, or empty") as caught:
        token_source(f"env:{name}").fetch()
    assert (name in str(caught.value)) is is_shown
