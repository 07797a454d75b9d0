"""`init`: a configuration file that says what was given, explains the rest, and is written whole or not at all."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from purge_conformance.cli import main
from purge_conformance.config.loader import FILE_NAME, merge
from purge_conformance.config.options import KEYS

URL = "http://localhost:8080"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0LXBheWxvYWQ.c2VjcmV0LXNpZ25hdHVyZQ"  # noqa: S105 -- nobody's


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)


def init(*arguments: str) -> Result:
    """Call `init` without a terminal."""
    return CliRunner().invoke(main, ["init", *arguments])


def test_flags_are_written() -> None:
    """Without a terminal the file says what the flags said, and a run reads just that from it."""
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
    """Every key stands in the file with its sentence, commented out where nothing was given."""
    assert init().exit_code == 0
    text = Path(FILE_NAME).read_text(encoding="utf-8")
    for key in KEYS:
        assert key.help in text
        assert re.search(rf"^ *#?{key.name.rpartition('.')[2]}:", text, re.MULTILINE)
    assert merge({}, environ={}) == {"tokens": {}}


def test_comments_are_yaml_too() -> None:
    """Without its comment signs the file is still one that can be read, so that keys are set by deleting a sign."""
    init()
    text = re.sub(r"(?m)^( *)#(?! )", r"\1", Path(FILE_NAME).read_text(encoding="utf-8"))
    assert len(yaml.safe_load(text)) > len(KEYS) // 2


def test_file_is_kept() -> None:
    """A file that is there is not written over, the cure is named, and --force does it."""
    Path(FILE_NAME).write_text("seed: 5\n", encoding="utf-8")
    done = init(URL)
    assert (done.exit_code, "--force" in done.output, "--config FILE" in done.output) == (2, True, True)
    assert Path(FILE_NAME).read_text(encoding="utf-8") == "seed: 5\n"
    assert init(URL, "--force").exit_code == 0
    assert merge({}, environ={})["target"] == URL


def test_other_name() -> None:
    """The file has another name where one is given."""
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
def test_refused_leaves_nothing(arguments: list[str], words: str) -> None:
    """What cannot be used ends with 2 and the cure, gives no token away, and leaves no file, whole or part."""
    done = init(*arguments)
    assert (done.exit_code, words in done.output, TOKEN in done.output) == (2, True, False), done.output
    assert list(Path().iterdir()) == []


def test_terminal_is_asked() -> None:
    """On a terminal the target and the source of each token are asked for; an empty line leaves a role out."""
    ours, theirs = pty.openpty()
    command = [str(Path(sys.executable).with_name("purge-conformance")), "init"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        for question, said in {
            "Target": URL,
            "admin": "env:A",
            "global": "",
            "space": "file:dev",
            "expired": "",
        }.items():
            shown = ""
            while f"{question}" not in shown or not shown.endswith(": "):
                shown += os.read(ours, 1000).decode()
            os.write(ours, f"{said}\n".encode())
        assert process.wait(30) == 0
    os.close(ours)
    assert merge({}, environ={}) == {"target": URL, "tokens": {"admin": "env:A", "space_developer": "file:dev"}}
