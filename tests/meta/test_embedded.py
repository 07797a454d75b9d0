"""The embedded server: it is there for the length of the block, and says why where it is not."""

from __future__ import annotations

import pytest
import requests

from purge_conformance.engine import reference_process as embedded
from purge_conformance.errors import SuiteError


def test_server_serves(reference_server: tuple[str, dict[str, str]]) -> None:
    """The server answers on loopback, to the tokens that it gave, one a role."""
    url, tokens = reference_server
    headers = {"Authorization": f"bearer {tokens['admin']}"}
    assert url.startswith("http://127.0.0.1:")
    assert requests.get(f"{url}/v3/app_usage_events", headers=headers, timeout=5).status_code == 200
    assert {"admin", "admin_read_only", "global_auditor", "expired"} <= set(tokens)


def test_server_ends_with_block() -> None:
    """After the block nothing answers, also where it was left by an error."""
    with pytest.raises(ZeroDivisionError), embedded.server() as (url, _):
        raise ZeroDivisionError
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)


def test_server_that_fails_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    """A server that does not start is an error of the suite, and its own words can be read."""
    with pytest.raises(SuiteError, match="did not start"), embedded.server(["--fault", "no-such-fault"]):
        pass
    assert "no-such-fault" in capfd.readouterr().err
