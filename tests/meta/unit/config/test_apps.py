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


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mode": "no-such"}, "observe or drive"),
        ({"mode": "observe", "space": "a-space"}, "--space: of use only where apps are driven"),
        ({"droplet": "a-droplet"}, "Add --apps drive"),
        ({"mode": "drive", "droplet": "a", "docker_image": "b"}, "--app-droplet, or .*file, or --app-docker-image"),
        ({"mode": "drive", "droplet": "a", "droplet_file": "b"}, "An app runs one thing"),
        ({"droplet_file": "b"}, "--app-droplet-file: of use only where apps are driven"),
        ({"mode": "drive", "droplet_file": "no-such"}, "--app-droplet-file no-such cannot be read: No such file"),
        ({"mode": "drive", "space": "../organizations/x"}, "--space wants a guid"),
        ({"mode": "drive", "docker_image": "no image"}, "--app-docker-image wants the name of an image"),
    ],
)
def test_contradicting_options_are_rejected(settings: dict[str, Any], words: str) -> None:
    """Contradicting options, and an invalid guid or image, are rejected with the next step."""
    with pytest.raises(BadSetting, match=words):
        app_settings(is_loopback=False, **settings)
