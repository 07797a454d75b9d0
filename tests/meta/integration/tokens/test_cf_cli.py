"""The cf CLI renews its login itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.uaa import signed
from purge_conformance.config.cf_home import read_session
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.uaa import UaaStub
    from purge_conformance.client.auth.cf_cli import CfCli


@pytest.mark.parametrize("rotates", [False, True])
def test_cli_renews_token(login: Callable[..., CfCli], uaa_stub: UaaStub, *, rotates: bool) -> None:
    """The CLI renews a token before its expiry; its user stays logged in, though refresh tokens rotate."""
    uaa_stub.rotates, uaa_stub.life = rotates, 5.0
    source = login(AccessToken=f"bearer {signed('admin', 5)}", RefreshToken=uaa_stub.refresh_token("admin"))
    made = [source.fetch() for _ in range(3)]
    held = read_session(source.path)
    assert len({one.value for one in made} & set(uaa_stub.secrets)) == 3
    assert uaa_stub.grants == ["refresh_token"] * 3
    assert (held.access_token, held.refresh_token in uaa_stub.refresh_tokens) == (f"bearer {made[-1].value}", True)
    assert source.redactor.redact_text(held.refresh_token) == "$ADMIN_REFRESH_TOKEN"


@pytest.mark.parametrize("path", ["", "a-broken-one"])
def test_refresh_token_is_not_used(path: str, login: Callable[..., CfCli], uaa_stub: UaaStub, tmp_path: Path) -> None:
    """Without a working CLI the refresh token is not used, and the error says what to do."""
    refresh = uaa_stub.refresh_token("admin")
    source = login(AccessToken=f"bearer {signed('admin', 5)}", RefreshToken=refresh)
    program = tmp_path / path / "cf"
    if path:
        program.parent.mkdir()
        program.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        program.chmod(0o755)
    source.environ = {"PATH": str(program.parent)}
    with pytest.raises(BadSetting, match=r"token of admin from `cf oauth-token`.*in a shell") as caught:
        source.fetch()
    assert (uaa_stub.grants, refresh in str(caught.value)) == ([], False)


def test_changed_target_is_rejected(login: Callable[..., CfCli], uaa_stub: UaaStub, tmp_path: Path) -> None:
    """If the user logs in at another API meanwhile, the new token is not sent."""
    source = login(AccessToken=f"bearer {signed('admin', 5)}", RefreshToken=uaa_stub.refresh_token("admin"))
    program = tmp_path / "bin" / "cf"
    elsewhere = "path.write_text(path.read_text().replace('127.0.0.1:1\"', '127.0.0.1:2\"'))"
    program.write_text(f"{program.read_text(encoding='utf-8')}{elsewhere}\n", encoding="utf-8")
    with pytest.raises(BadSetting, match="its token is sent only there"):
        source.fetch()


def test_client_login_is_renewed(login: Callable[..., CfCli], uaa_stub: UaaStub) -> None:
    """A login of a client has no refresh token, and is repeated."""
    client = {"UAAGrantType": "client_credentials", "UAAOAuthClient": "global_auditor"}
    secret = uaa_stub.clients["global_auditor"]
    source = login(AccessToken=f"bearer {signed('global_auditor', 5)}", UAAOAuthClientSecret=secret, **client)
    assert source.fetch().value in uaa_stub.secrets
    assert uaa_stub.grants == ["client_credentials"]


def test_tokens_of_file_are_redacted(login: Callable[..., CfCli]) -> None:
    """Both tokens of the file are redacted as soon as it is read, the access token even if it has expired."""
    expired = signed("admin", -600)
    source = login(AccessToken=f"bearer {expired}", RefreshToken="refresh-me")
    source.environ = {"PATH": ""}  # there is no CLI that could renew it
    with pytest.raises(BadSetting):
        source.fetch()
    assert source.redactor.redact_text(f"{expired} refresh-me") == "$ADMIN_TOKEN $ADMIN_REFRESH_TOKEN"
