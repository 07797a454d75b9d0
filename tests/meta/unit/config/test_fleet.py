"""fleet.yaml: what it may have, and what is said where it is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from purge_conformance import catalogue
from purge_conformance.config.fleet import APPS, IDENTITY, ONE_TARGET, OPTIONS, SCHEMA, load
from purge_conformance.config.options import KEYS
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
defaults:
  max_time: 600
  tokens:
    admin: env:ADMIN_TOKEN
    global_auditor: env:AUDITOR_TOKEN
  apps:
    mode: observe
targets:
  - name: staging-eu
    url: https://api.eu.example/
    allow_purge: api.eu.example
    tokens:
      admin: {grant: client_credentials, client: purge, secret: "file:secret"}
    profile: upstream
    max_purges: 20
    insecure: yes
    apps: {mode: drive, space: a-guid}
  - name: local
    url: http://127.0.0.1:8080
    seed: 2
    timeout: 2.5
    select: [SEED-*]
"""
TARGET = "targets:\n  - name: one\n    url: http://127.0.0.1:1\n"
TWO = f"{TARGET}  - name: two\n    url: http://127.0.0.1:2\n"
HASH = "0" * 64


def read(folder: Path, text: str) -> Any:  # noqa: ANN401 -- the targets, of which a test knows the options
    """Return the targets of a file with this text."""
    path = folder / "fleet.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def test_targets_are_read(tmp_path: Path) -> None:
    """Values have the types of the options; a target's options replace the defaults, its tokens by role."""
    eu, local = read(tmp_path, GOOD)
    assert (eu.name, eu.url, eu.allowed_hosts) == ("staging-eu", "https://api.eu.example", ("api.eu.example",))
    assert eu.place == f"{tmp_path}/fleet.yaml, line 9"
    assert eu.config == {
        "max_time": 600.0,
        "tokens": {
            "admin": {"grant": "client_credentials", "client": "purge", "secret": "file:secret"},
            "global_auditor": "env:AUDITOR_TOKEN",
        },
        "profile": ["upstream"],
        "max_purges": 20,
        "insecure": True,
        "apps": {"mode": "drive", "space": "a-guid"},
    }
    assert local.options["tokens"] == {"admin": "env:ADMIN_TOKEN", "global_auditor": "env:AUDITOR_TOKEN"}
    assert (local.options["seed"], local.options["timeout"], local.options["select"]) == (2, 2.5, ["SEED-*"])
    assert (local.options["apps.mode"], local.allowed_hosts) == ("observe", ())


def test_schema_accepts_the_same(tmp_path: Path) -> None:
    """The good file is valid against the schema for editors, and a file with a misspelt key is not."""
    validator = jsonschema.Draft202012Validator(catalogue.document(SCHEMA))
    assert list(validator.iter_errors(yaml.safe_load(GOOD))) == []
    assert not validator.is_valid(yaml.safe_load(f"{TARGET}    max_purgs: 1\n"))
    assert read(tmp_path, TWO)


def test_schema_has_each_option() -> None:
    """The schema has each option of a target and no other one; the defaults lack those of one target."""
    schema = catalogue.document(SCHEMA)
    apps = {key.name.partition(".")[2] for key in KEYS if key.name.startswith(f"{APPS}.")}
    plain = {name for name in OPTIONS if "." not in name} | {APPS}
    assert set(schema["$defs"]["options"]["apps"]["properties"]) == apps
    assert set(schema["$defs"]["target"]["properties"]) == plain | set(IDENTITY)
    assert set(schema["properties"]["defaults"]["properties"]) == plain - set(ONE_TARGET)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("- a\n", 1, "a mapping with the key targets is expected."),
        ("target: []\n", 1, "target is no key here. Did you mean targets?"),
        ("targets: []\n", 1, "targets is missing or empty."),
        ("targets:\n  - one\n", 2, "a target is a mapping."),
        ("targets:\n  - name: one\n", 2, "url is missing. Write `url: ...` below the target."),
        ("targets:\n  - {url: 'http://h', name: fleet.json}\n", 2, "'fleet.json' cannot be the name of a folder"),
        ("targets:\n  - {url: 'http://h', name: ../up}\n", 2, "'../up' cannot be the name of a folder"),
        ("targets:\n  - name: one\n    url: ftp://h\n", 3, "'ftp://h' is not a URL of a target."),
        (f"{TARGET}    max_purgs: 1\n", 4, "max_purgs is no key here. Did you mean max_purges?"),
        (f"{TARGET}    max_purges: many\n", 4, "max_purges: 'many' is not a whole number from 0 to 10000."),
        (f"{TARGET}    apps: drive\n", 4, "apps is a section."),
        (f"{TARGET}    apps: {{mod: drive}}\n", 4, "apps.mod is no key here. Did you mean apps.mode?"),
        (f"{TARGET}    out: here\n", 4, "the folder of a target is its name"),
        (f"{TARGET}    target: http://h\n", 4, "Write the URL of a target as `url`."),
        (f"{TARGET}    cf: true\n", 4, "The cf CLI has one login."),
        (f"{TARGET}    force: true\n", 4, "judge this target alone with that flag"),
        (f"{TARGET}    allow_purge: {{a: b}}\n", 4, "allow_purge: a host is expected"),
        (f"{TARGET}    tokens: {{admn: 'env:A'}}\n", 3, "The role admn is not known. Did you mean admin?"),
        (f"{TARGET}    proxy: http://u:p@h\n", 4, "set HTTPS_PROXY to the URL instead"),
        (f"{TARGET}    before_purge: ./check\n", 4, "is not command:PROGRAM ARGUMENT"),
        (f"{TARGET}    format: [sarif=all.sarif]\n", 4, "Give NAME alone"),
        (f"{TARGET}    known_failures: /no/such/file\n", 4, "is not an existing file"),
        ("defaults: {hook: 'http://h'}\n" + TARGET, 1, "hook belongs to one target."),
        ("defaults: {allow_purge: h}\n" + TARGET, 1, "allow_purge belongs to one target."),
        ("defaults: {sed: 1}\n" + TARGET, 1, "sed is no key here. Did you mean seed?"),
        ("defaults: 1\n" + TARGET, 1, "a mapping of options is expected."),
        (TWO.replace("two", "one"), 4, "one has the same name as one"),
        (TWO.replace(":2", ":1/"), 5, "two has the same url as one"),
        (TWO.replace("http://127.0.0.1:2", "https://127.0.0.1:1"), 5, "two has the same url as one"),
        (TWO.replace(":1\n", f":1\n    fingerprint: {HASH}\n") + f"    fingerprint: {HASH}\n", 7, "same fingerprint"),
    ],
)
def test_errors_name_the_line(text: str, line: int, words: str, tmp_path: Path) -> None:
    """What is wrong is refused with its line, what is expected, and the key that may be meant."""
    with pytest.raises(BadSetting) as error:
        read(tmp_path, text)
    assert str(error.value).startswith(f"{tmp_path}/fleet.yaml, line {line}: ")
    assert words in str(error.value)


def test_no_value_of_a_token_is_quoted(tmp_path: Path) -> None:
    """A token in place of its source is refused, and not printed."""
    with pytest.raises(BadSetting) as error:
        read(tmp_path, f"{TARGET}    tokens: s3cr3t-token\n")
    assert "tokens: its value is not a source for each role" in str(error.value)
    assert "s3cr3t" not in str(error.value)
