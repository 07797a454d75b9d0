"""Configuration: merged once from file, environment and flags, and what is not understood is refused with its cure."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from purge_conformance.cli import main
from purge_conformance.config.loader import FILE_NAME, merge
from purge_conformance.config.options import KEYS
from purge_conformance.config.settings import Settings, parse_target
from purge_conformance.engine.settings import build_settings
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from meta.support.stub import StubServer
    from purge_conformance.config.loader import Options

TOKEN = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0LXBheWxvYWQ.c2VjcmV0LXNpZ25hdHVyZQ"  # noqa: S105 -- nobody's


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)


def given(text: str = "", environ: dict[str, str] | None = None, *, flags: dict[str, Any] | None = None) -> Options:
    """Return what a file of that text, these variables and these flags make together."""
    Path(FILE_NAME).write_text(text, encoding="utf-8")
    return merge(flags or {}, environ={f"PURGE_CONFORMANCE_{name}": value for name, value in (environ or {}).items()})


def refusal(text: str = "", environ: dict[str, str] | None = None) -> str:
    """Return what is said of a file, or of variables, that cannot be used."""
    with pytest.raises(BadSetting) as caught:
        given(text, environ)
    return str(caught.value)


def test_nothing_is_needed() -> None:
    """Without file, variable and flag the settings are the usual ones."""
    found = merge({"target": "http://localhost"}, environ={})
    assert build_settings(found, {}) == Settings(parse_target("http://localhost"), {})


def test_flag_stands_over_all() -> None:
    """A flag stands over the environment, that over the file, and what one does not say the other does."""
    text = "seed: 2\nrepeat: 2\nexamples: 2\n"
    found = given(text, {"SEED": "3", "REPEAT": "3"}, flags={"seed": 4, "timeout": None})
    assert found == {"seed": 4, "repeat": 3, "examples": 2, "tokens": {}}


def test_tokens_are_merged_by_role() -> None:
    """The flag of one role leaves the sources that the file names for the others."""
    text = "tokens:\n  admin: env:A\n  global_auditor: file:auditor.jwt\n"
    found = given(text, flags={"tokens": ("admin=file:admin.jwt",)})
    assert found["tokens"] == {"admin": "file:admin.jwt", "global_auditor": "file:auditor.jwt"}


def test_all_of_it_arrives() -> None:
    """What the file says stands in the settings of the run, whichever part of them it is."""
    Path("ca.pem").touch()
    text = """
        target: http://localhost
        profile: [core, upstream]
        select: SEED-*
        examples: 3
        seed: 7
        repeat: 2
        timeout: 1.5
        max_purges: 90
        max_requests: 400
        ca_bundle: ca.pem
    """
    made = build_settings(given(text), {})
    assert [str(profile) for profile in made.profiles] == ["core", "upstream"]
    assert (made.select, made.examples, made.seed, made.repeat, made.transport.ca_bundle) == (
        ("SEED-*",),
        3,
        7,
        2,
        "ca.pem",
    )
    assert (made.limits.timeout, made.limits.max_purges, made.limits.max_requests) == (1.5, 90, 400)


def test_file_can_be_elsewhere() -> None:
    """Another file is read where one is named, by flag or by variable; the flag's is taken."""
    for name in ("a.yaml", "b.yaml"):
        Path(name).write_text(f"out: {name}\n", encoding="utf-8")
    assert merge({}, environ={"PURGE_CONFORMANCE_CONFIG": "a.yaml"})["out"] == "a.yaml"
    assert merge({}, Path("b.yaml"), environ={"PURGE_CONFORMANCE_CONFIG": "a.yaml"})["out"] == "b.yaml"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("timout: 3", "there is no key timout. Did you mean timeout? Known keys: target,"),
        ("zebra: 3", "there is no key zebra. Known keys"),
        ("1: 3", "there is no key 1"),
        ("timeout: soon", "timeout: 'soon' is not a number from 0.1 to 600"),
        ("timeout: '3'", "timeout: '3' is not a number"),
        ("timeout: .nan", "nan is not a number"),
        ("repeat: true", "True is not a whole number from 1 to 200"),
        ("repeat: 2.0", "2.0 is not a whole number"),
        ("repeat: 201", "201 is not a whole number"),
        ("profile: [downstream]", "is not a list of: core, upstream"),
        ("select: [1]", "[1] is not a list of texts"),
        ("target: []", "[] is not a text"),
        ("ca_bundle: no/such/file", "'no/such/file' is not a file that exists"),
        ("tokens: env:A", "tokens: its value is not a source for each role"),
        ("tokens: {Admin: env:A}", "is not a source for each role"),
        ("allow_purge: api.example.org", "Give --allow-purge HOST"),
        ("[1, 2]", "holds no mapping"),
        ("seed: 1\nseed: 2\n", "names a key twice (line 2, column 1)"),
        ("seed: [1\ntarget: x", "is no YAML (line 2, column"),
        ("\0", "is no YAML"),
        ("[" * 5000, "cannot be read"),
        ("# none of this ends\n" * 4000, "has 65536 bytes or more"),
        ("just a text", "holds no mapping"),
    ],
)
def test_file_is_held_to_its_word(text: str, words: str) -> None:
    """What a file says and nobody understands is refused: what was got, what is expected, and the cure."""
    said = refusal(text)
    assert said.startswith(FILE_NAME)
    assert words in said


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"TIMEOUT": "soon"}, "PURGE_CONFORMANCE_TIMEOUT: 'soon' is not a number from 0.1 to 600"),
        ({"TIMEOUT": "inf"}, "'inf' is not a number"),
        ({"REPEAT": "1.5"}, "'1.5' is not a whole number"),
        ({"TIMOUT": "3"}, "PURGE_CONFORMANCE_TIMOUT means nothing. Did you mean TIMEOUT?"),
        ({"TOKENS": "admin=env:A"}, "Give --token ROLE=SOURCE"),
        ({"ALLOW_PURGE": "api.example.org"}, "Give --allow-purge HOST"),
    ],
)
def test_environment_is_held_to_its_word(environ: dict[str, str], words: str) -> None:
    """A variable that says what nobody understands is refused likewise."""
    assert words in refusal("", environ)


def test_strange_variables_are_left_alone() -> None:
    """A variable of no key, and close to none, is somebody else's: a token may be kept in it."""
    assert given("", {"ADMIN_TOKEN": "x", "SEED": ""}) == {"tokens": {}}


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
def test_misplaced_token_is_not_told(text: str) -> None:
    """A token in a wrong place of the file is not repeated in what is said of it."""
    said = refusal(text)
    assert [part for part in TOKEN.split(".") if part[:8] in said] == []


def test_literal_token_is_refused(stub_server: StubServer) -> None:
    """A token that stands in the file itself is refused with the cure, not repeated, and nothing is sent."""
    Path(FILE_NAME).write_text(f"target: {stub_server.url}\ntokens:\n  admin: {TOKEN}\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["run"])
    assert (done.exit_code, stub_server.received) == (2, [])
    assert "env:NAME" in done.output
    assert [part for part in TOKEN.split(".") if part[:8] in done.output] == []


def test_run_reads_the_file(stub_server: StubServer) -> None:
    """`run` takes the target, the tokens and all else from the file in its folder, and from the environment."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 401)
    text = f"target: {stub_server.url}\ntokens:\n  admin: env:ADMIN_SECRET\nout: there\nselect: [ROUTE-01]\n"
    Path(FILE_NAME).write_text(text, encoding="utf-8")
    environ = {"ADMIN_SECRET": "an-opaque-secret", "PURGE_CONFORMANCE_SEED": "5"}
    done = CliRunner().invoke(main, ["run", "--quiet"], env=environ)
    assert (done.exit_code, Path("there/report.json").exists()) == (3, True), done.output
    assert stub_server.received != []


def test_file_is_no_consent() -> None:
    """A target that a file names is not thereby named twice."""
    Path(FILE_NAME).write_text("target: https://api.example.org\ntokens:\n  admin: env:PATH\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["run"])
    assert (done.exit_code, "--allow-purge api.example.org" in done.output) == (2, True)


def test_keys_have_ways_in() -> None:
    """Every key has a flag, a variable and a sentence, and no two share one."""
    for part in ("name", "option", "variable"):
        assert len({getattr(key, part) for key in KEYS}) == len(KEYS)
    assert all(key.help.endswith(".") and len(key.help) < 100 for key in KEYS)


@pytest.mark.parametrize("key", [key for key in KEYS if key.name != "target"], ids=lambda key: key.name)
def test_keys_are_flags(key: Any) -> None:  # noqa: ANN401 -- a key
    """What can stand in the file is a flag of `run` as well."""
    assert key.option in CliRunner().invoke(main, ["run", "--help"], env=dict(os.environ)).output
