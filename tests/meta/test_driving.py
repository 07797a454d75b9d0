"""What a run does with apps: whether it makes any, where, and what they run."""

from __future__ import annotations

from typing import Any

import pytest

from purge_conformance.config.apps import AppSettings, Mode, app_settings
from purge_conformance.errors import BadSetting


@pytest.mark.parametrize(
    ("is_loopback", "asked", "mode"),
    [
        (True, {}, Mode.DRIVE),
        (False, {}, Mode.OBSERVE),
        (False, {"space": "a-space"}, Mode.DRIVE),
        (False, {"mode": "drive"}, Mode.DRIVE),
        (True, {"mode": "observe"}, Mode.OBSERVE),
    ],
)
def test_other_hosts_are_observed(*, is_loopback: bool, asked: dict[str, Any], mode: Mode) -> None:
    """Unless asked to, a run makes apps on this machine alone, or in a space that was named."""
    assert app_settings(is_loopback=is_loopback, **asked) == AppSettings(mode, asked.get("space"))


@pytest.mark.parametrize(
    ("asked", "words"),
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
def test_contradictions_are_refused(asked: dict[str, Any], words: str) -> None:
    """What does not go together, and what is no guid or image, is refused with the cure."""
    with pytest.raises(BadSetting, match=words):
        app_settings(is_loopback=False, **asked)
