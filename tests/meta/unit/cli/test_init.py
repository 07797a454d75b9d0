"""`init` writes a complete configuration file or none: the values of the flags, and every option explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from purge_conformance.cli.group import main
from purge_conformance.config.loader import FILE_NAME, merge
from purge_conformance.config.options import KEYS
from purge_conformance.config.value_types import BOOLEAN

URL = "http://localhost:8080"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0LXBheWxvYWQ.c2VjcmV0LXNpZ25hdHVyZQ"  # noqa: S105 -- not a real token


pytestmark = pytest.mark.usefixtures("empty_folder")


def init(*arguments: str) -> Result:
    """Invoke `init` without a terminal."""
    return CliRunner().invoke(main, ["init", *arguments])


def test_flags_are_written() -> None:
    """Without a terminal the file contains the values of the flags, and a run reads exactly these."""
    flags = (
        "--token=admin=env:A",
        "--token=expired=file:old jwt",
        "--select=SEED-*",
        "--timeout=2.5",
        "--max-purges=9",
    )
    assert init(URL, *flags).exit_code == 0
    found = merge({}, environ={})
    assert found.pop("tokens") == {"admin": "env:A", "expired": "file:old jwt"}
    assert found == {"target": URL, "select": ["SEED-*"], "timeout": 2.5, "max_purges": 9}


def test_every_key_is_explained() -> None:
    """Every option is in the file with its sentence, commented out if it has no value."""
    assert init().exit_code == 0
    text = Path(FILE_NAME).read_text(encoding="utf-8")
    for key in KEYS:
        assert key.help in text
        assert re.search(rf"^ *#?{key.name.rpartition('.')[2]}:", text, re.MULTILINE)
    assert merge({}, environ={}) == {"tokens": {}}


def test_commented_options_are_valid_yaml() -> None:
    """Without its comment signs the file is valid YAML, so that a user can enable an option."""
    init()
    text = re.sub(r"(?m)^( *)#(?! )", r"\1", Path(FILE_NAME).read_text(encoding="utf-8"))
    values = yaml.safe_load(text)
    assert len(values) > len(KEYS) // 2
    assert {values[key.name] for key in KEYS if key.value_type is BOOLEAN} == {True}


def test_existing_file_is_not_overwritten() -> None:
    """An existing file is not overwritten, the next step is named, and --force overwrites it."""
    Path(FILE_NAME).write_text("seed: 5\n", encoding="utf-8")
    result = init(URL)
    assert (result.exit_code, "--force" in result.output, "--config FILE" in result.output) == (2, True, True)
    assert Path(FILE_NAME).read_text(encoding="utf-8") == "seed: 5\n"
    assert init(URL, "--force").exit_code == 0
    assert merge({}, environ={})["target"] == URL


def test_file_name_can_be_given() -> None:
    """The file name can be given."""
    assert init(URL, "--config=other.yaml").exit_code == 0
    assert [path.name for path in Path().iterdir()] == ["other.yaml"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ftp://localhost"], "Give http(s)"),
        ([f"--token=admin={TOKEN}"], "env:NAME, file:PATH"),
        ([f"--token={TOKEN}"], "env:NAME, file:PATH"),
        (["--token=Admin=env:A"], "source for each role"),
        (["--timeout=soon"], "'soon' is not a number"),
        (["--config=no/such/folder/x.yaml"], "cannot be written"),
    ],
)
def test_invalid_value_writes_no_file(arguments: list[str], words: str) -> None:
    """An invalid value exits with 2 and the next step, prints no token and writes no file."""
    result = init(*arguments)
    assert (result.exit_code, words in result.output, TOKEN in result.output) == (2, True, False), result.output
    assert list(Path().iterdir()) == []
