"""Which apps a run uses: those of the target, its own or the hook's; where it creates them, and what they run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import MAX_GUID_CHARS, is_usable_guid
from purge_conformance.config.droplet_file import check_droplet_file
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from purge_conformance.config.droplet_file import Upload

IMAGE_OPTION = "--app-docker-image"
DROPLET_FILE_OPTION = "--app-droplet-file"
IMAGE_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,511}")


class Mode(StrEnum):
    """What a run does with apps."""

    OBSERVE = "observe"
    DRIVE = "drive"
    HOOK = "hook"


@dataclass(frozen=True, slots=True)
class AppSettings:
    """What a run does with apps.

    Attributes:
        mode: `observe` creates nothing and uses the apps that exist; `drive` creates apps and deletes them; `hook` lets
            the user's hook do both.
        space: guid of the space to create all apps in; None: in new organizations and spaces.
        droplet: guid of the droplet whose copies the apps run.
        docker_image: the image that the apps run instead.
        droplet_file: the droplet file that the apps run instead. Without any of the three they have nothing to run.
    """

    mode: Mode = Mode.DRIVE
    space: str | None = None
    droplet: str | None = None
    docker_image: str | None = None
    droplet_file: Upload | None = None

    @property
    def has_nothing_to_run(self) -> bool:
        """Whether there is neither a droplet nor an image for the apps to run."""
        return not (self.droplet or self.docker_image or self.droplet_file)


def app_settings(  # noqa: PLR0913 -- one for each key of the section `apps`
    mode: str | None = None,
    *,
    is_loopback: bool,
    space: str | None = None,
    droplet: str | None = None,
    docker_image: str | None = None,
    droplet_file: str | None = None,
) -> AppSettings:
    """Return the settings of the section `apps`; the default mode is `drive` on this machine or with a space.

    Raises:
        BadSetting: the options contradict each other, or one is not a guid, an image or a droplet file.
    """
    app_mode = _parse_mode(mode, may_drive=is_loopback or bool(space))
    options = {
        "--space": space,
        "--app-droplet": droplet,
        IMAGE_OPTION: docker_image,
        DROPLET_FILE_OPTION: droplet_file,
    }
    names = [name for name, value in options.items() if value]
    if app_mode is not Mode.DRIVE and names:
        raise BadSetting(
            f"{' and '.join(names)} got a value, but --apps {app_mode} creates no apps that could use it. "
            "Give --apps drive, and --space GUID of a space in which you may create apps."
        )
    runs = [name for name in names if name.startswith("--app-")]
    if len(runs) > 1:
        raise BadSetting(f"Got {' and '.join(runs)}; an app runs only one of them. Give one.")
    for name, value in options.items():
        if value is not None and name != DROPLET_FILE_OPTION and not _is_valid(name, value):
            what = (
                "the name of a Docker image"
                if name == IMAGE_OPTION
                else f"a guid: a text of at most {MAX_GUID_CHARS} characters, without a part . or .. between slashes"
            )
            raise BadSetting(f"{name} expects {what}; got {value!r:.{MAX_GUID_CHARS}}.")
    file = check_droplet_file(DROPLET_FILE_OPTION, Path(droplet_file)) if droplet_file else None
    return AppSettings(app_mode, space, droplet, docker_image, file)


def _is_valid(option: str, value: str) -> bool:
    """Whether an option can have a value: a guid is any text that can be a segment of a path."""
    if option == IMAGE_OPTION:
        return bool(IMAGE_PATTERN.fullmatch(value))
    return is_usable_guid(value) and value.isprintable()


def _parse_mode(mode: str | None, *, may_drive: bool) -> Mode:
    if mode is None:
        return Mode.DRIVE if may_drive else Mode.OBSERVE
    try:
        return Mode(mode)
    except ValueError:
        raise BadSetting(f"--apps got {mode!r}. Give {', '.join(Mode)}.") from None
