"""The login file of the cf CLI."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from purge_conformance.config.cf_home import config_path, read_session, read_target
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.client.auth.cf_cli import CfCli
    from purge_conformance.client.auth.uaa import Uaa


@pytest.mark.parametrize(
    ("environ", "folder"),
    [({"CF_HOME": "/cf", "HOME": "/home/me"}, "/cf"), ({"HOME": "/home/me"}, "/home/me"), ({"CF_HOME": ""}, None)],
)
def test_config_path_matches_cli(environ: dict[str, str], folder: str | None) -> None:
    """The file is below CF_HOME, or else below the home folder."""
    assert config_path(environ) == Path(folder or Path.home()) / ".cf" / "config.json"


def test_cli_target_is_used(login: Callable[..., CfCli], uaa: Uaa) -> None:
    """The API of the CLI's login can be the target."""
    assert read_target(login(AccessToken="bearer x").path) == uaa.target


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read"),
        ("{", "not the JSON"),
        ("[" * 100_000, "not the JSON"),
        ("[]", "cf CLI is not logged in"),
        ('{"Target": "https://api.example.org", "AccessToken": ""}', "cf CLI is not logged in"),
        ('{"Target": "", "AccessToken": "bearer x"}', "cf CLI is not logged in"),
        ('{"Target": 1, "AccessToken": []}', "cf CLI is not logged in"),
    ],
)
def test_missing_login_is_reported(text: str | None, words: str, tmp_path: Path) -> None:
    """Without a login of the CLI the error names `cf login`."""
    path = tmp_path / "config.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(BadSetting, match=f"{words}.*cf login"):
        read_session(path)
