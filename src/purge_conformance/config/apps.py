"""Whether a run drives apps of its own, where it makes them, and what they run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from purge_conformance.config import droplet_file as upload
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from purge_conformance.config.droplet_file import Upload

GUID_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,200}")
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
        mode: `observe` takes the foundation as it is and creates nothing; `drive` makes apps, and deletes them;
            `hook` lets the user's hook do both.
        space: guid of the space that all apps are made in; None: in organizations and spaces of the suite's own.
        droplet: guid of the droplet that the apps run a copy of.
        docker_image: what the apps run instead.
        droplet_file: the file of a droplet that they run instead. Without any of these they have nothing to run.
    """

    mode: Mode = Mode.DRIVE
    space: str | None = None
    droplet: str | None = None
    docker_image: str | None = None
    droplet_file: Upload | None = None

    @property
    def has_nothing_to_run(self) -> bool:
        """Whether nothing was given that the apps could run."""
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
    """Return what is to be done with apps: as asked for, or else `drive` on this machine, or in a space that was named.

    Raises:
        BadSetting: what was asked for does not go together, or is no guid, no image and no file of a droplet.
    """
    app_mode = _parse_mode(mode, may_drive=is_loopback or bool(space))
    options = {
        "--space": space,
        "--app-droplet": droplet,
        "--app-docker-image": docker_image,
        DROPLET_FILE_OPTION: droplet_file,
    }
    names = [name for name, value in options.items() if value]
    if app_mode is not Mode.DRIVE and names:
        raise BadSetting(
            f"{' and '.join(names)}: of use only where apps are driven. Add --apps drive, and --space GUID if you may."
        )
    if len([name for name in names if name.startswith("--app-")]) > 1:
        raise BadSetting(f"An app runs one thing. Give --app-droplet, or {DROPLET_FILE_OPTION}, or --app-docker-image.")
    for name, value in options.items():
        pattern, what = (IMAGE_PATTERN, "the name of an image") if name.endswith("image") else (GUID_PATTERN, "a guid")
        if value is not None and name != DROPLET_FILE_OPTION and not pattern.fullmatch(value):
            raise BadSetting(f"{name} wants {what}; it got {value!r}.")
    file = upload.check_droplet_file(DROPLET_FILE_OPTION, Path(droplet_file)) if droplet_file else None
    return AppSettings(app_mode, space, droplet, docker_image, file)


def _parse_mode(mode: str | None, *, may_drive: bool) -> Mode:
    if mode is None:
        return Mode.DRIVE if may_drive else Mode.OBSERVE
    try:
        return Mode(mode)
    except ValueError:
        raise BadSetting(f"--apps {mode!r} is unknown. Give {' or '.join(Mode)}.") from None
