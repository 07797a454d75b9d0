"""A configuration file that is found in the current folder runs a command only if nobody else can have written it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from purge_conformance.config.loader import FILE_NAME, merge
from purge_conformance.errors import BadSetting

pytestmark = pytest.mark.usefixtures("empty_folder")

COMMANDS = {
    "tokens.admin": "tokens: {admin: 'command:cat token'}",
    "tokens.global_auditor.password": "tokens: {global_auditor: {grant: password, username: u, password: 'command:x'}}",
    "tokens.space_developer": "tokens: {space_developer: 'uaa:client_credentials:c:command:x'}",
    "hook": "hook: 'command:./hook'",
    "before_purge": "before_purge: 'command:./notify billing'",
}
TOKENS = "{admin: 'env:A', org_user: 'file:b', org_manager: cf}"
HARMLESS = f"{{target: 'http://localhost', hook: 'http://localhost/hook', tokens: {TOKENS}}}"


def write(text: str, path: str = FILE_NAME, mode: int = 0o644) -> Path:
    """Write a file with this mode; the current folder is its user's alone."""
    Path.cwd().chmod(0o755)
    Path(path).write_text(text, encoding="utf-8")
    Path(path).chmod(mode)
    return Path(path)


@pytest.mark.parametrize("name", COMMANDS)
def test_own_file_runs_commands(name: str) -> None:
    """A file that only its user can write is trusted."""
    write(COMMANDS[name])
    assert merge({}, environ={})


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
@pytest.mark.parametrize("name", COMMANDS)
def test_writable_file_runs_no_command(name: str, mode: int) -> None:
    """A file that others may write must not run a command; the message names the option and the next step."""
    write(COMMANDS[name], mode=mode)
    with pytest.raises(BadSetting) as caught:
        merge({}, environ={})
    assert f"runs a command ({name}), but others may write to it." in str(caught.value)
    assert f"--config {FILE_NAME}" in str(caught.value)
    assert "chmod go-w" in str(caught.value)


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o1777])
def test_writable_folder_runs_no_command(mode: int) -> None:
    """A file in a folder that others may write is refused, also where the folder is sticky: a link may be theirs."""
    write(COMMANDS["hook"])
    Path.cwd().chmod(mode)
    with pytest.raises(BadSetting, match="others may write to the folder"):
        merge({}, environ={})


def test_linked_file_is_looked_at_itself() -> None:
    """Of a symbolic link, the file that is read counts, and the folder of that file as well."""
    Path("other").mkdir()
    real = write(COMMANDS["hook"], "other/real.yaml", 0o666)
    Path(FILE_NAME).symlink_to(real)
    with pytest.raises(BadSetting, match="others may write to it"):
        merge({}, environ={})
    real.chmod(0o600)
    Path("other").chmod(0o777)
    with pytest.raises(BadSetting, match=r"others may write to the folder .*other"):
        merge({}, environ={})
    Path("other").chmod(0o700)
    assert merge({}, environ={})["hook"] == "command:./hook"


def test_file_of_another_user_runs_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of another user is refused."""
    write(COMMANDS["tokens.admin"])
    monkeypatch.setattr(os, "geteuid", lambda: Path(FILE_NAME).stat().st_uid + 1)
    with pytest.raises(BadSetting, match="it belongs to another user"):
        merge({}, environ={})


def test_named_file_is_trusted() -> None:
    """A file that a flag or a variable names is the user's own decision."""
    path = write(COMMANDS["hook"], mode=0o666)
    assert merge({}, path, environ={})["hook"]
    assert merge({}, environ={"PURGE_CONFORMANCE_CONFIG": FILE_NAME})["hook"]


def test_other_values_need_no_trust() -> None:
    """A file without a command is read whatever its mode; so is one whose commands a flag overrides."""
    write(HARMLESS, mode=0o666)
    assert merge({}, environ={})["target"] == "http://localhost"
    write(COMMANDS["tokens.admin"], mode=0o666)
    assert merge({"tokens": ("admin=command:mine",)}, environ={})["tokens"] == {"admin": "command:mine"}
