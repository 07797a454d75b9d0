"""Says before a run what it could judge with apps of its own, and which spaces and droplets exist for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.config.apps import Mode
from purge_conformance.evidence.steps import Step
from purge_conformance.target.candidates import describe_spaces, staged_droplets
from purge_conformance.target.doctor.check import Check, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange


def checks(exchanges: Sequence[Exchange], settings: Settings) -> Iterable[Check]:
    """Yield a warning if the run creates no apps, and the droplets that its apps could run."""
    spaces = next((x for x in exchanges if x.step is Step.FIND_SPACE), None)
    if spaces and settings.apps.mode is Mode.OBSERVE and not settings.is_read_only:
        yield warning(
            "apps of the suite",
            "--apps observe creates none, so all requirements stay open that only starts, stops and scalings of apps "
            "show, and the verdict is inconclusive unless one fails",
            "apps of the suite",
            f"Give --apps drive {describe_spaces(spaces)}.",
        )
    droplets = next((x for x in exchanges if x.step is Step.FIND_DROPLET), None)
    if droplets and (guids := staged_droplets(droplets)):
        yield ok("droplets", f"if an app does not start without one, give --app-droplet GUID ({' or '.join(guids)})")
