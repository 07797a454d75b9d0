"""Builds the settings of a run from what the user gave; sends nothing and opens no token source."""

from __future__ import annotations

import os
import shutil
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from purge_conformance import catalogue
from purge_conformance.catalogue.model import Profile
from purge_conformance.config.apps import Mode, app_settings
from purge_conformance.config.hook_url import parse_hook
from purge_conformance.config.loader import APPS_PREFIX, FILE_NAME
from purge_conformance.config.settings import Limits, Settings, limits_for, parse_target
from purge_conformance.config.transport import Transport, proxies_from_environment
from purge_conformance.config.value_types import split_command
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from purge_conformance.config.apps import AppSettings
    from purge_conformance.config.loader import Options

DEFAULT_PROFILES = (str(Profile.CORE),)
BUILT_HERE = {"target", "tokens", "token_sources", "apps"}  # fields that are not copied from the option of that name


def build_settings(values: Options, tokens: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of a run.

    Args:
        values: option name -> value, as `loader.merge` returns them.
        tokens: role -> token, if they are already known; None: the settings name the sources, and `log_in` opens them.

    Raises:
        BadSetting: the target is missing, or options contradict each other.
    """
    if "target" not in values:
        raise BadSetting(f"No target was given. Give its URL, or put `target: URL` into {FILE_NAME}.")
    limits = limits_for(
        values.get("repeat", 1), **{each.name: values[each.name] for each in fields(Limits) if each.name in values}
    )
    profiles = catalogue.parse_profiles(values.get("profile") or DEFAULT_PROFILES)
    catalogue.select_requirements(profiles, values.get("select", ()))
    target = parse_target(values["target"])
    transport = _transport(values)
    apps = _app_settings(values, is_loopback=transport.is_loopback(target.url))
    if apps.mode is Mode.HOOK and "hook" not in values:
        raise BadSetting("--apps hook needs a hook that creates the apps. Give --hook URL or --hook 'command:LINE'.")
    if missing := [name for name in values.get("hook_env", ()) if name not in os.environ]:
        raise BadSetting(f"--hook-env names {', '.join(missing)}, which is not set. Set it, or omit it there.")
    return Settings(
        target=target,
        tokens=tokens or {},
        token_sources=values.get("tokens", {}) if tokens is None else {},
        profiles=profiles,
        transport=transport,
        limits=limits,
        apps=apps,
        **_plain_fields(values),
    )


def _plain_fields(values: Options) -> dict[str, Any]:
    """Return the fields that have an option of the same name."""
    names = {field.name for field in fields(Settings)} - BUILT_HERE
    plain = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items() if name in names}
    if "hook" in values:
        plain["hook"] = parse_hook(values["hook"])
    if "before_purge" in values:
        plain["before_purge"] = _before_purge(values["before_purge"])
    return plain


def _before_purge(line: str) -> tuple[str, ...]:
    """Return the words of a command; its program exists, so that a run does not stop late for a wrong name."""
    command = split_command(line)
    if not shutil.which(command[0]):
        raise BadSetting("--before-purge names a program that was not found. Give its path: --before-purge COMMAND.")
    return command


def _transport(values: Options) -> Transport:
    field_names = {field.name for field in fields(Transport)}
    if "client_key" in values and "client_cert" not in values:
        raise BadSetting("--client-key was given without its certificate. Give --client-cert FILE as well.")
    return Transport(**{name: values[name] for name in field_names & values.keys()}, proxies=proxies_from_environment())


def _app_settings(values: Options, *, is_loopback: bool) -> AppSettings:
    if Profile.OBSERVE_ONLY in (values.get("profile") or ()):
        values = values | {f"{APPS_PREFIX}mode": Mode.OBSERVE}
    app_values = {
        name.removeprefix(APPS_PREFIX): value for name, value in values.items() if name.startswith(APPS_PREFIX)
    }
    return app_settings(**app_values, is_loopback=is_loopback)
