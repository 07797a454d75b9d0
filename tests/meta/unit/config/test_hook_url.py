"""The address of a hook."""

from __future__ import annotations

import pytest

from purge_conformance.config.hook_url import HookAddress, parse_hook
from purge_conformance.errors import BadSetting


@pytest.mark.parametrize(
    "text",
    [
        "ftp://host/",
        "host:80",
        "http://",
        "http://user:s3cret@host/",
        "http://host/#part",
        "command:",
        "command:'open",
        "",
    ],
)
def test_invalid_address_is_rejected(text: str) -> None:
    """An address that is neither a URL nor a command is rejected and not printed: it may hold a secret."""
    with pytest.raises(BadSetting, match=r"--hook takes|Give --hook") as caught:
        parse_hook(text)
    assert "s3cret" not in str(caught.value)


def test_address_is_hidden() -> None:
    """A hook's address may hold a secret and is never printed."""
    assert "key" not in repr([parse_hook("http://host/?key=1"), parse_hook("command:run --key 1")])
    assert parse_hook("command:run 'a b'") == HookAddress(command=("run", "a b"))
