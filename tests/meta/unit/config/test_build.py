"""The settings of a run, built from its options."""

from __future__ import annotations

from pathlib import Path

import pytest

from meta.support.configuration import merge_sources
from purge_conformance.config.build import build_settings
from purge_conformance.config.loader import merge
from purge_conformance.config.settings import Settings, parse_target
from purge_conformance.errors import BadSetting

pytestmark = pytest.mark.usefixtures("empty_folder")


def test_defaults_are_sufficient() -> None:
    """Without file, variables and flags the settings are the defaults."""
    options = merge({"target": "http://localhost"}, environ={})
    assert build_settings(options, {}) == Settings(parse_target("http://localhost"), {})


def test_no_token_source_is_opened() -> None:
    """The settings name the sources of the tokens; nothing is read and no login is sent."""
    options = merge({"target": "http://localhost", "tokens": ["admin=uaa:refresh_token:file:no-such-file"]}, environ={})
    run_settings = build_settings(options)
    assert (run_settings.tokens, run_settings.token_sources) == ({}, {"admin": "uaa:refresh_token:file:no-such-file"})


def test_file_values_reach_settings() -> None:
    """Every value of the file reaches the settings of the run."""
    Path("ca.pem").touch()
    text = """
        target: http://localhost
        profile: [core, upstream]
        select: SEED-*
        examples: 3
        seed: 7
        repeat: 2
        timeout: 1.5
        max_purges: 90
        max_requests: 400
        ca_bundle: ca.pem
    """
    run_settings = build_settings(merge_sources(text), {})
    assert [str(profile) for profile in run_settings.profiles] == ["core", "upstream"]
    assert (
        run_settings.select,
        run_settings.examples,
        run_settings.seed,
        run_settings.repeat,
        run_settings.transport.ca_bundle,
    ) == (
        ("SEED-*",),
        3,
        7,
        2,
        "ca.pem",
    )
    assert (run_settings.limits.timeout, run_settings.limits.max_purges, run_settings.limits.max_requests) == (
        1.5,
        90,
        400,
    )


def test_hook_apps_require_hook() -> None:
    """`--apps hook` without a hook is rejected with the next step."""
    options = {"target": "http://localhost:1", "tokens": [], "apps.mode": "hook"}
    with pytest.raises(BadSetting, match="Give --hook URL"):
        build_settings(options, {"admin": "a-token"})
