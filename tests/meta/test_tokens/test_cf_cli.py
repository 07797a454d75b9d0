"""The cf CLI's login: read as the CLI writes it, renewed by the CLI alone, sent nowhere but to its target."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from purge_conformance.client.auth.cf_cli import CfCli
from purge_conformance.config.cf_home import config_path, read_session, read_target
from purge_conformance.errors import BadSetting

from .conftest import signed, with_cf

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.client.auth.uaa import Uaa

    from .conftest import Issuer

# As `cf login` of version 8 writes it: every key, in its order, indented by two spaces.
CONFIG = {
    "AccessToken": "",
    "APIVersion": "3.195.0",
    "AsyncTimeout": 0,
    "AuthorizationEndpoint": "https://login.sys.example.org",
    "CFOnK8s": {"Enabled": False, "AuthInfo": ""},
    "ColorEnabled": "",
    "ConfigVersion": 4,
    "DopplerEndPoint": "wss://doppler.sys.example.org:443",
    "Locale": "",
    "LogCacheEndPoint": "https://log-cache.sys.example.org",
    "MinCLIVersion": "",
    "MinRecommendedCLIVersion": "",
    "NetworkPolicyV1Endpoint": "https://api.sys.example.org/networking/v1/external",
    "OrganizationFields": {"GUID": "7b5d2d3c-2f9b-4c0e-8f57-9d1b3e1b2f7a", "Name": "system"},
    "PluginRepos": [{"Name": "CF-Community", "URL": "https://plugins.cloudfoundry.org"}],
    "RefreshToken": "",
    "RoutingAPIEndpoint": "https://api.sys.example.org/routing",
    "SpaceFields": {"GUID": "", "Name": "", "AllowSSH": False},
    "SSHOAuthClient": "ssh-proxy",
    "SSLDisabled": False,
    "Target": "https://api.sys.example.org",
    "Trace": "",
    "UaaEndpoint": "https://uaa.sys.example.org",
    "UAAGrantType": "",
    "UAAOAuthClient": "cf",
    "UAAOAuthClientSecret": "",
}


@pytest.fixture
def login(issuer: Issuer, uaa: Uaa, tmp_path: Path) -> Callable[..., CfCli]:
    """Write a config.json, its keys changed as said, and return the source that reads it."""

    def write(**changes: object) -> CfCli:
        path = tmp_path / ".cf" / "config.json"
        path.parent.mkdir(exist_ok=True)
        values = CONFIG | {"Target": uaa.target.url, "UaaEndpoint": issuer.url} | changes
        path.write_text(json.dumps(values, indent=2), encoding="utf-8")
        environ = {"CF_HOME": str(tmp_path), "PATH": with_cf(tmp_path)}
        return CfCli("admin", path, uaa.target, environ)

    return write


@pytest.mark.parametrize(
    ("environ", "folder"),
    [({"CF_HOME": "/cf", "HOME": "/home/me"}, "/cf"), ({"HOME": "/home/me"}, "/home/me"), ({"CF_HOME": ""}, None)],
)
def test_path_is_that_of_the_cli(environ: dict[str, str], folder: str | None) -> None:
    """The file stands below CF_HOME, or else below the home folder."""
    assert config_path(environ) == Path(folder or Path.home()) / ".cf" / "config.json"


def test_token_of_the_file_is_taken(login: Callable[..., CfCli], issuer: Issuer) -> None:
    """A token that lives is taken as the CLI wrote it, without its scheme, and nothing is asked."""
    value = signed("admin", 600)
    found = login(AccessToken=f"bearer {value}", RefreshToken="refresh-me").fetch()
    assert (found.value, found.other_secrets, issuer.asked) == (value, ("refresh-me",), [])


@pytest.mark.parametrize("rotates", [False, True])
def test_old_token_is_renewed_by_the_cli(login: Callable[..., CfCli], issuer: Issuer, *, rotates: bool) -> None:
    """A token near its end is renewed by the CLI, again and again; its user stays logged in, though tokens rotate."""
    issuer.rotates, issuer.life = rotates, 5.0
    source = login(AccessToken=f"bearer {signed('admin', 5)}", RefreshToken=issuer.refresh_token("admin"))
    made = [source.fetch() for _ in range(3)]
    held = read_session(source.path)
    assert len({one.value for one in made} & set(issuer.secrets)) == 3
    assert issuer.asked == ["refresh_token"] * 3
    assert (held.access_token, held.refresh_token in issuer.refresh_tokens) == (f"bearer {made[-1].value}", True)
    assert made[-1].other_secrets == (held.refresh_token,)


@pytest.mark.parametrize("path", ["", "a-broken-one"])
def test_refresh_token_is_left_to_the_cli(
    path: str, login: Callable[..., CfCli], issuer: Issuer, tmp_path: Path
) -> None:
    """Where there is no CLI, or it fails, the refresh token is not used up, and the cure is told."""
    refresh = issuer.refresh_token("admin")
    source = login(AccessToken=f"bearer {signed('admin', 5)}", RefreshToken=refresh)
    program = tmp_path / path / "cf"
    if path:
        program.parent.mkdir()
        program.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        program.chmod(0o755)
    source.environ = {"PATH": str(program.parent)}
    with pytest.raises(BadSetting, match=r"token of admin by `cf oauth-token`.*by hand") as caught:
        source.fetch()
    assert (issuer.asked, refresh in str(caught.value)) == ([], False)


def test_login_elsewhere_meanwhile_is_refused(login: Callable[..., CfCli], issuer: Issuer, tmp_path: Path) -> None:
    """Where the user logs in at another API meanwhile, the token that the CLI then prints goes nowhere."""
    source = login(AccessToken=f"bearer {signed('admin', 5)}", RefreshToken=issuer.refresh_token("admin"))
    program = tmp_path / "bin" / "cf"
    elsewhere = "path.write_text(path.read_text().replace('127.0.0.1:1\"', '127.0.0.1:2\"'))"
    program.write_text(f"{program.read_text(encoding='utf-8')}{elsewhere}\n", encoding="utf-8")
    with pytest.raises(BadSetting, match="and its token goes nowhere else"):
        source.fetch()


def test_newer_token_of_the_cli_is_taken(login: Callable[..., CfCli], issuer: Issuer) -> None:
    """A token that the CLI itself renewed meanwhile is taken before any is asked for."""
    source = login(AccessToken=f"bearer {signed('admin', 600)}", RefreshToken=issuer.refresh_token("admin"))
    source.fetch()
    newer = signed("admin", 900)
    login(AccessToken=f"bearer {newer}", RefreshToken=issuer.refresh_token("admin"))
    assert (source.fetch().value, issuer.asked) == (newer, [])


def test_client_login_is_renewed(login: Callable[..., CfCli], issuer: Issuer) -> None:
    """Where the CLI logged in as a client there is no refresh token, and it asks as that again."""
    client = {"UAAGrantType": "client_credentials", "UAAOAuthClient": "global_auditor"}
    secret = issuer.clients["global_auditor"]
    source = login(AccessToken=f"bearer {signed('global_auditor', 5)}", UAAOAuthClientSecret=secret, **client)
    assert source.fetch().value in issuer.secrets
    assert issuer.asked == ["client_credentials"]


def test_token_goes_to_its_target_alone(login: Callable[..., CfCli]) -> None:
    """A login at one API gives no token for another one."""
    source = login(Target="https://api.elsewhere.example.org", AccessToken=f"bearer {signed('admin', 600)}")
    with pytest.raises(BadSetting, match=r"logged in at https://api\.elsewhere\.example\.org, not at http://127"):
        source.fetch()


def test_target_is_that_of_the_cli(login: Callable[..., CfCli], uaa: Uaa) -> None:
    """The API where the CLI is logged in can be the target."""
    assert read_target(login(AccessToken="bearer x").path) == uaa.target


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read"),
        ("{", "not the JSON"),
        ("[" * 100_000, "not the JSON"),
        ("[]", "Nobody is logged in"),
        ('{"Target": "https://api.example.org", "AccessToken": ""}', "Nobody is logged in"),
        ('{"Target": "", "AccessToken": "bearer x"}', "Nobody is logged in"),
        ('{"Target": 1, "AccessToken": []}', "Nobody is logged in"),
    ],
)
def test_no_login_is_told(text: str | None, words: str, tmp_path: Path) -> None:
    """Where the CLI left no login the cure is told."""
    path = tmp_path / "config.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(BadSetting, match=f"{words}.*cf login"):
        read_session(path)


def test_nothing_is_shown(login: Callable[..., CfCli]) -> None:
    """Neither the source nor what it read shows a secret when it is printed."""
    source = login(AccessToken="bearer the-token", RefreshToken="the-refresh", UAAOAuthClientSecret="the-secret")
    assert [word for word in ("the-token", "the-refresh", "the-secret") if word in f"{source!r} {vars(source)!r}"] == []
