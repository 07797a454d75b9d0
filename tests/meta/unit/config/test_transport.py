"""How evidence describes the transport of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.config.transport import Transport

if TYPE_CHECKING:
    from meta.support.stub import StubServer


@pytest.mark.parametrize("name", ["user", "user:pass@word/x:1"])
def test_proxy_user_is_hidden(name: str) -> None:
    """User and password of a proxy are hidden, however they are written."""
    shown = str(Transport(proxy=f"http://{name}@proxy.test:1").describe("http://target.test"))
    assert ("user" in shown, "$PROXY_USER@proxy.test:1" in shown) == (False, True)


def test_default_transport_adds_no_options(stub_server: StubServer) -> None:
    """The default transport has no description."""
    assert Transport().describe(stub_server.url) == {}
