"""The reference server as a process: it runs for the length of a block, and reports a failed start."""

from __future__ import annotations

import pytest
import requests

from purge_conformance.engine import reference_process
from purge_conformance.errors import SuiteError


def test_server_accepts_its_tokens(reference_server: tuple[str, dict[str, str]]) -> None:
    """The server listens on loopback and accepts the token that it issued per role."""
    url, tokens = reference_server
    headers = {"Authorization": f"bearer {tokens['admin']}"}
    assert url.startswith("http://127.0.0.1:")
    assert requests.get(f"{url}/v3/app_usage_events", headers=headers, timeout=5).status_code == 200
    assert {"admin", "admin_read_only", "global_auditor", "expired"} <= set(tokens)


def test_server_ends_with_block() -> None:
    """After the block nothing listens, even if the block raised."""
    with pytest.raises(ZeroDivisionError), reference_process.server() as (url, _):
        raise ZeroDivisionError
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)


def test_failed_start_is_reported(capfd: pytest.CaptureFixture[str]) -> None:
    """A server that does not start is a suite error, and its output is shown."""
    with pytest.raises(SuiteError, match="did not start"), reference_process.server(["--fault", "no-such-fault"]):
        pass
    assert "no-such-fault" in capfd.readouterr().err
