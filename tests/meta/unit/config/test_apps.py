"""The app options: whether a run creates apps, where, and what they run."""

from __future__ import annotations

from typing import Any

import pytest

from purge_conformance.config.apps import AppSettings, Mode, app_settings
from purge_conformance.errors import BadSetting


@pytest.mark.parametrize(
    ("is_loopback", "settings", "mode"),
    [
        (True, {}, Mode.DRIVE),
        (False, {}, Mode.OBSERVE),
        (False, {"space": "a-space"}, Mode.DRIVE),
        (False, {"mode": "drive"}, Mode.DRIVE),
        (True, {"mode": "observe"}, Mode.OBSERVE),
    ],
)
def test_remote_hosts_default_to_observe(*, is_loopback: bool, settings: dict[str, Any], mode: Mode) -> None:
    """By default a run creates apps only on a local target or in a named space."""
    assert app_settings(is_loopback=is_loopback, **settings) == AppSettings(mode, settings.get("space"))


@pytest.mark.parametrize("guid", ["dev", "a space/7", "org:dev.1", "räume", "0"])
def test_guid_is_any_text(guid: str) -> None:
    """A guid need not look like a UUID: the target chooses it."""
    assert app_settings(is_loopback=False, space=guid, droplet=guid) == AppSettings(Mode.DRIVE, guid, guid)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mode": "no-such"}, "Give observe, drive, hook"),
        ({"mode": "observe", "space": "a-space"}, "--space got a value, but --apps observe creates no apps"),
        ({"droplet": "a-droplet"}, "Give --apps drive"),
        ({"mode": "drive", "droplet": "a", "docker_image": "b"}, "Got --app-droplet and --app-docker-image"),
        ({"mode": "drive", "droplet": "a", "droplet_file": "b"}, "an app runs only one of them"),
        ({"droplet_file": "b"}, "--app-droplet-file got a value, but --apps observe creates no apps"),
        ({"mode": "drive", "droplet_file": "no-such"}, "--app-droplet-file: no-such cannot be read: No such file"),
        ({"mode": "drive", "space": "../organizations/x"}, "--space expects a guid"),
        ({"mode": "drive", "space": "x" * 201}, "at most 200 characters"),
        ({"mode": "drive", "droplet": "one\ntwo"}, "--app-droplet expects a guid"),
        ({"mode": "drive", "docker_image": "no image"}, "--app-docker-image expects the name of a Docker image"),
    ],
)
def test_contradicting_options_are_rejected(settings: dict[str, Any], words: str) -> None:
    """Contradicting options, and an invalid guid or image, are rejected with the next step."""
    with pytest.raises(BadSetting, match=words):
        app_settings(is_loopback=False, **settings)
