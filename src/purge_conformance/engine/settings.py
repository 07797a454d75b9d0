"""From what the user gave to the settings of a run: the tokens are fetched here."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from purge_conformance import catalogue
from purge_conformance.catalogue.model import Profile
from purge_conformance.client.auth import sources as options
from purge_conformance.client.auth.uaa import Uaa
from purge_conformance.config.apps import Mode, app_settings
from purge_conformance.config.hook_url import parse_hook
from purge_conformance.config.loader import APPS_PREFIX, FILE_NAME
from purge_conformance.config.settings import TIMEOUT, Settings, limits_for, parse_target
from purge_conformance.config.transport import Transport, proxies_from_environment
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from purge_conformance.config.apps import AppSettings
    from purge_conformance.config.settings import Target

    Given = dict[str, Any]  # by the name of its key; what nobody gave is absent


def build_settings(values: Given, tokens: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of a run; role -> token is read from the sources that were given, unless it is known.

    Raises:
        BadSetting: no target or no token of an admin was given, or what was given contradicts itself.
    """
    if "target" not in values:
        raise BadSetting(f"No target was given. Give its URL, or `target: URL` in {FILE_NAME}.")
    limits = limits_for(
        values.get("repeat", 1),
        max_purges=values.get("max_purges"),
        max_requests=values.get("max_requests"),
        max_events=values.get("max_events"),
        timeout=values.get("timeout", TIMEOUT),
    )
    profiles = catalogue.parse_profiles(values.get("profile") or ["core"])
    catalogue.select_requirements(profiles, values.get("select", ()))
    field_names = {field.name for field in fields(Settings)} - {"target", "tokens", "apps"}
    transport = _transport(values)
    rest: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
        if name in field_names
    }
    if "hook" in rest:
        rest["hook"] = parse_hook(rest["hook"])
    target = parse_target(values["target"])
    apps = _app_settings(values, target)
    if apps.mode is Mode.HOOK and "hook" not in rest:
        raise BadSetting("--apps hook wants a hook to ask for apps. Give --hook URL or --hook 'command:LINE'.")
    tokens_by_role = (
        _open_tokens(values, target, transport, limits.timeout) if tokens is None else tokens
    )  # the last: logins are sent
    return Settings(
        target=target, tokens=tokens_by_role, profiles=profiles, transport=transport, limits=limits, apps=apps, **rest
    )


def _transport(values: Given) -> Transport:
    field_names = {field.name for field in fields(Transport)}
    if "client_key" in values and "client_cert" not in values:
        raise BadSetting("A client's key was given without its certificate. Give --client-cert FILE as well.")
    return Transport(**{name: values[name] for name in field_names & values.keys()}, proxies=proxies_from_environment())


def _open_tokens(values: Given, target: Target, transport: Transport, timeout: float) -> Mapping[str, str]:
    from purge_conformance.client.auth.token_request import token_requester  # noqa: PLC0415 -- not all commands reach a target

    return options.open_tokens(values["tokens"], Uaa(target, token_requester(transport, timeout)))


def _app_settings(values: Given, target: Target) -> AppSettings:
    if Profile.OBSERVE_ONLY in (values.get("profile") or ()):
        values = values | {f"{APPS_PREFIX}mode": Mode.OBSERVE}
    app_values = {
        name.removeprefix(APPS_PREFIX): value for name, value in values.items() if name.startswith(APPS_PREFIX)
    }
    return app_settings(**app_values, is_loopback=target.is_loopback)
