"""From what the user gave to the settings of a run: the tokens are fetched here."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from purge_conformance import catalogue
from purge_conformance.catalogue.model import Profile
from purge_conformance.client.auth import sources as options
from purge_conformance.client.auth.uaa import Uaa
from purge_conformance.config.apps import Mode, driving
from purge_conformance.config.hook_url import parse_hook
from purge_conformance.config.loader import APPS, FILE_NAME
from purge_conformance.config.settings import TIMEOUT, Settings, bounds, parse_target
from purge_conformance.config.transport import Transport, of_environment
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from purge_conformance.config.apps import Driving
    from purge_conformance.config.settings import Target

    Given = dict[str, Any]  # by the name of its key; what nobody gave is absent


def settings(given: Given, tokens: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of a run; role -> token is read from the sources that were given, unless it is known.

    Raises:
        BadSetting: no target or no token of an admin was given, or what was given contradicts itself.
    """
    if "target" not in given:
        raise BadSetting(f"No target was given. Give its URL, or `target: URL` in {FILE_NAME}.")
    limits = bounds(
        given.get("repeat", 1),
        max_purges=given.get("max_purges"),
        max_requests=given.get("max_requests"),
        max_events=given.get("max_events"),
        timeout=given.get("timeout", TIMEOUT),
    )
    profiles = catalogue.profiles(given.get("profile") or ["core"])
    catalogue.selected(profiles, given.get("select", ()))
    named = {field.name for field in fields(Settings)} - {"target", "tokens", "driving"}
    way = _transport(given)
    rest: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items() if name in named
    }
    if "hook" in rest:
        rest["hook"] = parse_hook(rest["hook"])
    target = parse_target(given["target"])
    apps = _driving(given, target)
    if apps.mode is Mode.HOOK and "hook" not in rest:
        raise BadSetting("--apps hook wants a hook to ask for apps. Give --hook URL or --hook 'command:LINE'.")
    known = _tokens(given, target, way, limits.timeout) if tokens is None else tokens  # the last: logins are sent
    return Settings(target=target, tokens=known, profiles=profiles, transport=way, limits=limits, driving=apps, **rest)


def _transport(given: Given) -> Transport:
    named = {field.name for field in fields(Transport)}
    if "client_key" in given and "client_cert" not in given:
        raise BadSetting("A client's key was given without its certificate. Give --client-cert FILE as well.")
    return Transport(**{name: given[name] for name in named & given.keys()}, proxies=of_environment())


def _tokens(given: Given, target: Target, way: Transport, timeout: float) -> Mapping[str, str]:
    from purge_conformance.client.auth.token_request import asking  # noqa: PLC0415 -- not all commands reach a target

    return options.opened(given["tokens"], Uaa(target, asking(way, timeout)))


def _driving(given: Given, target: Target) -> Driving:
    if Profile.OBSERVE_ONLY in (given.get("profile") or ()):
        given = given | {f"{APPS}mode": Mode.OBSERVE}
    words = {name.removeprefix(APPS): value for name, value in given.items() if name.startswith(APPS)}
    return driving(**words, is_loopback=target.is_loopback)
