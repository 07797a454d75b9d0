"""The login of the cf CLI: the suite reads it, and sends its token to its target only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.uaa import signed
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Callable

    from meta.support.uaa import UaaStub
    from purge_conformance.client.auth.cf_cli import CfCli


def test_valid_token_is_read(login: Callable[..., CfCli], uaa_stub: UaaStub) -> None:
    """A valid token is read from the file of the CLI, without its scheme, and no request is sent."""
    value = signed("admin", 600)
    found = login(AccessToken=f"bearer {value}", RefreshToken="refresh-me").fetch()
    assert (found.value, uaa_stub.grants) == (value, [])


def test_newer_token_is_read(login: Callable[..., CfCli], uaa_stub: UaaStub) -> None:
    """A token that the CLI renewed meanwhile is read before a renewal."""
    source = login(AccessToken=f"bearer {signed('admin', 600)}", RefreshToken=uaa_stub.refresh_token("admin"))
    source.fetch()
    newer = signed("admin", 900)
    login(AccessToken=f"bearer {newer}", RefreshToken=uaa_stub.refresh_token("admin"))
    assert (source.fetch().value, uaa_stub.grants) == (newer, [])


def test_token_is_bound_to_target(login: Callable[..., CfCli]) -> None:
    """A login at one API gives no token for another API."""
    source = login(Target="https://api.elsewhere.example.org", AccessToken=f"bearer {signed('admin', 600)}")
    with pytest.raises(BadSetting, match=r"logged in at https://api\.elsewhere\.example\.org, not at http://127"):
        source.fetch()


def test_repr_hides_secrets(login: Callable[..., CfCli]) -> None:
    """The repr of the source and of its attributes contains no secret."""
    source = login(AccessToken="bearer the-token", RefreshToken="the-refresh", UAAOAuthClientSecret="the-secret")
    assert [word for word in ("the-token", "the-refresh", "the-secret") if word in f"{source!r} {vars(source)!r}"] == []
