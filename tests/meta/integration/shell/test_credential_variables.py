"""A shell expands the redacted form of a credential."""

from __future__ import annotations

import base64
import json
import subprocess

import pytest

from purge_conformance.client.auth.credentials import Credential, invalid_credentials

PAYLOAD = base64.urlsafe_b64encode(json.dumps({"scope": ["cloud_controller.admin"]}).encode()).decode().rstrip("=")
TOKEN = f"eyJhbGciOiJIUzI1NiJ9.{PAYLOAD}.c2VjcmV0LXNpZ25hdHVyZQ"


@pytest.mark.parametrize("who", invalid_credentials({"admin": TOKEN, "expired": "old"}), ids=lambda who: who.role)
def test_shell_expands_credential(who: Credential) -> None:
    """The redacted form of a credential expands to its value in a shell with the token variables."""
    script = f'printf %s "{who.redacted or ""}"'
    environment = {"ADMIN_TOKEN": TOKEN, "EXPIRED_TOKEN": "old", "PATH": "/usr/bin:/bin"}
    process = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert process.stdout == (who.value or "")
