"""The settings of a run, built from its options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meta.support.configuration import merge_sources
from purge_conformance.config.build import build_settings
from purge_conformance.config.loader import merge
from purge_conformance.config.settings import Settings, parse_target
from purge_conformance.config.value_types import COMMAND
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


@pytest.mark.parametrize("prefix", ["", "command:"])
def test_before_purge_is_split(prefix: str) -> None:
    """The command of --before-purge is split as a shell does; its prefix may be omitted in a flag and in a variable."""
    for options in (
        merge({"target": "http://localhost", "before_purge": COMMAND.parse(f"{prefix}sh -c 'exit 0'")}, environ={}),  # type: ignore[misc] # it can be parsed
        merge_sources("target: http://localhost", {"BEFORE_PURGE": f"{prefix}sh -c 'exit 0'"}),
    ):
        assert build_settings(options, {}).before_purge == ("sh", "-c", "exit 0")


@pytest.mark.parametrize("line", ["sh", "command:", "command:sh 'x", "https://billing.example.org", 7])
def test_before_purge_needs_prefix_in_file(line: object) -> None:
    """In a file the command has its prefix: without it the check of an untrusted file would miss it."""
    with pytest.raises(BadSetting, match=r"before_purge: its value is not command:PROGRAM"):
        merge_sources(f"target: http://localhost\nbefore_purge: {json.dumps(line)}")


def test_before_purge_names_a_program() -> None:
    """A program that does not exist is rejected before anything is sent."""
    options = merge_sources("target: http://localhost\nbefore_purge: 'command:no-such-program --now'")
    with pytest.raises(BadSetting, match="--before-purge names a program that was not found"):
        build_settings(options, {})


def test_untrusted_file_runs_no_command() -> None:
    """A file that others can write to does not run a command before a purge."""
    path = Path("purge-conformance.yaml")
    path.write_text("target: http://localhost\nbefore_purge: 'command:true'\n", encoding="utf-8")
    path.chmod(0o666)
    with pytest.raises(BadSetting, match=r"runs a command \(before_purge\)"):
        merge({}, environ={})
