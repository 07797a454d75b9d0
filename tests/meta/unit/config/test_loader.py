"""The configuration: a merge of file, environment and flags, and errors with a next step."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from meta.support.configuration import merge_sources
from purge_conformance.config.loader import FILE_NAME, merge
from purge_conformance.config.options import KEYS
from purge_conformance.config.roles import KNOWN_ROLES
from purge_conformance.errors import BadSetting

TOKEN = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0LXBheWxvYWQ.c2VjcmV0LXNpZ25hdHVyZQ"  # noqa: S105 -- not a real token


pytestmark = pytest.mark.usefixtures("empty_folder")


def error_message(text: str = "", environ: dict[str, str] | None = None) -> str:
    """Return the error message for an invalid file or variables."""
    with pytest.raises(BadSetting) as caught:
        merge_sources(text, environ)
    return str(caught.value)


def test_flag_overrides_environment() -> None:
    """A flag overrides the environment, which overrides the file; they complement each other."""
    text = "seed: 2\nrepeat: 2\nexamples: 2\n"
    options = merge_sources(text, {"SEED": "3", "REPEAT": "3"}, flags={"seed": 4, "timeout": None})
    assert options == {"seed": 4, "repeat": 3, "examples": 2, "tokens": {}}


def test_tokens_merge_per_role() -> None:
    """The flag of one role keeps the sources that the file names for other roles."""
    text = "tokens:\n  admin: env:A\n  global_auditor: file:auditor.jwt\n"
    options = merge_sources(text, flags={"tokens": ("admin=file:admin.jwt",)})
    assert options["tokens"] == {"admin": "file:admin.jwt", "global_auditor": "file:auditor.jwt"}


def test_config_file_can_be_named() -> None:
    """Another file is read if a flag or a variable names it; the flag has precedence."""
    for name in ("a.yaml", "b.yaml"):
        Path(name).write_text(f"out: {name}\n", encoding="utf-8")
    assert merge({}, environ={"PURGE_CONFORMANCE_CONFIG": "a.yaml"})["out"] == "a.yaml"
    assert merge({}, Path("b.yaml"), environ={"PURGE_CONFORMANCE_CONFIG": "a.yaml"})["out"] == "b.yaml"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("timout: 3", "timout is not a known setting. Did you mean timeout? Known settings: target,"),
        ("zebra: 3", "zebra is not a known setting. Known settings"),
        ("1: 3", "1 is not a known setting"),
        ("timeout: soon", "timeout: 'soon' is not a number from 0.1 to 600"),
        ("timeout: '3'", "timeout: '3' is not a number"),
        ("timeout: .nan", "nan is not a number"),
        ("repeat: true", "True is not a whole number from 1 to 200"),
        ("repeat: 2.0", "2.0 is not a whole number"),
        ("repeat: 201", "201 is not a whole number"),
        ("profile: [downstream]", "is not a list of: core, upstream"),
        ("select: [1]", "[1] is not a list of texts"),
        ("target: []", "[] is not a text"),
        ("ca_bundle: no/such/file", "'no/such/file' is not an existing file"),
        ("tokens: env:A", "tokens: its value is not a source for each role"),
        ("tokens: {Admin: env:A}", "is not a source for each role"),
        ("allow_purge: api.example.org", "Give --allow-purge HOST"),
        ("allow_incomplete_archive: true", "only as a flag. Remove it there. Give --allow-incomplete-archive"),
        ("[1, 2]", "is not a mapping"),
        ("seed: 1\nseed: 2\n", "contains a key twice (line 2, column 1)"),
        ("seed: [1\ntarget: x", "is not valid YAML (line 2, column"),
        ("\0", "is not valid YAML"),
        pytest.param("[" * 1000, "cannot be read", id="deep"),
        pytest.param("# none of this ends\n" * 4000, "has 65,536 bytes or more", id="long"),
        ("just a text", "is not a mapping"),
    ],
)
def test_invalid_file_is_rejected(text: str, words: str) -> None:
    """An invalid file is rejected: the message says what was read, what is expected, and the next step."""
    message = error_message(text)
    assert message.startswith(FILE_NAME)
    assert words in message


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"TIMEOUT": "soon"}, "PURGE_CONFORMANCE_TIMEOUT: 'soon' is not a number from 0.1 to 600"),
        ({"TIMEOUT": "inf"}, "'inf' is not a number"),
        ({"REPEAT": "1.5"}, "'1.5' is not a whole number"),
        ({"TIMOUT": "3"}, "PURGE_CONFORMANCE_TIMOUT is not a known setting. Did you mean PURGE_CONFORMANCE_TIMEOUT?"),
        ({"FLAVOUR": "3"}, "PURGE_CONFORMANCE_FLAVOUR is not a known setting. Unset it"),
        ({"TOKENS": "admin=env:A"}, "Give --token ROLE=SOURCE"),
        ({"ALLOW_PURGE": "api.example.org"}, "Give --allow-purge HOST"),
        ({"ALLOW_INCOMPLETE_ARCHIVE": "1"}, "only as a flag. Unset it. Give --allow-incomplete-archive"),
    ],
)
def test_invalid_environment_is_rejected(environ: dict[str, str], words: str) -> None:
    """An invalid variable is rejected in the same way."""
    assert words in error_message("", environ)


@pytest.mark.parametrize(
    "source", ["env:PURGE_CONFORMANCE_IT", "{grant: password, username: u, password: 'env:PURGE_CONFORMANCE_IT'}"]
)
def test_variable_may_hold_a_token(source: str) -> None:
    """A variable with the prefix may be the source of a token, and a variable without a value sets nothing."""
    assert [*merge_sources(f"tokens:\n  admin: {source}", {"IT": "x", "SEED": ""})] == ["tokens"]


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("global_auditer", "Did you mean global_auditor?"),
        ("auditors", "Did you mean global_auditor?"),
        ("auditor", "Did you mean global_auditor?"),
        ("globalauditor", "Did you mean global_auditor?"),
        ("admn", "Did you mean admin?"),
        ("administrator", "Did you mean admin?"),
        ("space_dev", "Did you mean space_developer?"),
        ("org_manger", "Did you mean org_manager?"),
        ("expired_admin", "Did you mean expired?"),
        ("spacedev", "Did you mean space_developer?"),
        ("spacemgr", "Did you mean space_manager?"),
        ("cloud_admin", "Did you mean admin?"),
        ("read_only", "Did you mean admin_read_only?"),
        ("readonly_admin", "Did you mean admin_read_only?"),
        ("auditor_global", "Did you mean global_auditor?"),
        ("org", "Did you mean org_auditor or org_billing_manager?"),
        ("viewer", "The role viewer is not known. Give one of these: admin, global_auditor, space_developer, expired,"),
        ("none", "The role none is not known. Give one of these: admin,"),
        ("x" * 64, "is not known. Give one of these: admin,"),
    ],
)
def test_unknown_role_is_rejected(role: str, words: str) -> None:
    """A role that is not known is rejected, in the file and as a flag; a similar one is named."""
    assert words in error_message(f"tokens:\n  {role}: env:A")
    with pytest.raises(BadSetting, match=re.escape(words)):
        merge({"tokens": [f"{role}=env:A"]}, environ={})


@pytest.mark.parametrize("role", KNOWN_ROLES)
def test_known_roles_are_accepted(role: str) -> None:
    """A role of Cloud Foundry is accepted."""
    assert merge({"tokens": [f"{role}=env:A"]}, environ={})["tokens"] == {role: "env:A"}


@pytest.mark.parametrize(
    "text",
    [
        f"tokens: {TOKEN}",
        f"tokens:\n  {TOKEN}: env:A",
        f"tokens:\n  admin: [{TOKEN}]",
        f"tokens: {{admin: [{TOKEN}",
        f"{TOKEN}: 1",
        f"seed: {TOKEN}",
        f"target: [{TOKEN}]",
    ],
)
def test_misplaced_token_is_not_printed(text: str) -> None:
    """A token at the wrong place of the file is not repeated in the message."""
    message = error_message(text)
    assert [part for part in TOKEN.split(".") if part[:8] in message] == []


def test_options_have_flag_and_variable() -> None:
    """Every option has a unique flag, a unique variable and a sentence."""
    for part in ("name", "option", "variable"):
        assert len({getattr(key, part) for key in KEYS}) == len(KEYS)
    assert all(key.help.endswith(".") and len(key.help) < 150 for key in KEYS)
