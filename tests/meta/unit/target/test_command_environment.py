"""The environment of the user's commands holds no secret of the run."""

from __future__ import annotations

import base64

import pytest

from purge_conformance.config.build import build_settings
from purge_conformance.config.settings import Settings, Target
from purge_conformance.errors import BadSetting
from purge_conformance.target.command_environment import command_environment

TOKEN = "an-opaque-secret-of-the-admin"  # noqa: S105 -- it opens nothing
SOURCES = {
    "admin": "env:PLAIN",
    "global_auditor": "uaa:password@ldap:user:env:LOGIN",
    "space_developer": {"grant": "client_credentials", "client": "env", "secret": "env:IN_A_MAPPING"},
    "other": "file:env.txt",
    "odd": "command:print-env:NOT_A_NAME",
}


def settings(**more: object) -> Settings:
    """Return settings with a token and its sources."""
    return Settings(Target("http://t"), {"admin": TOKEN}, token_sources=SOURCES, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PLAIN", "short"),
        ("LOGIN", "x"),
        ("IN_A_MAPPING", "x"),
        ("ANYTHING", f"bearer {TOKEN}"),
        ("ENCODED", base64.b64encode(TOKEN.encode()).decode()),
        ("PURGE_CONFORMANCE_PROXY", "http://p"),
        ("PURGE_CONFORMANCE_HOOK", "command:x"),
        ("CF_HOME", "/home/u"),
        ("HTTPS_PROXY", "http://user:password@proxy:3128"),
        ("http_proxy", "user:password@proxy:3128"),
        ("ALL_PROXY", "socks5://u:p@proxy"),
    ],
)
def test_secrets_are_left_out(name: str, value: str) -> None:
    """A variable that may hold a secret is left out, unless it is named."""
    environ = {name: value, "PATH": "/bin"}
    assert command_environment(settings(), environ) == {"PATH": "/bin"}
    assert command_environment(settings(hook_env=(name,)), environ) == environ


def test_other_variables_stay() -> None:
    """All other variables are passed on."""
    environ = {"PATH": "/bin", "HOME": "/h", "NO_PROXY": "a,b", "HTTP_PROXY": "http://proxy:3128", "DB": "pg://u:p@h/d"}
    assert command_environment(settings(), environ) == environ


def test_missing_variable_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable to pass on that is not set is a usage error."""
    monkeypatch.delenv("NO_SUCH", raising=False)
    with pytest.raises(BadSetting, match="--hook-env names NO_SUCH, which is not set"):
        build_settings({"target": "http://localhost", "hook_env": ["NO_SUCH"], "tokens": {}})
