"""The estimate of a run's duration, compared with runs that were recorded against a Cloud Controller."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from meta.support.story import EvidenceBuilder
from purge_conformance.catalogue.model import DOCUMENTED
from purge_conformance.config.apps import AppSettings, Mode
from purge_conformance.config.hook_url import parse_hook
from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.scenarios.definitions import expected_work
from purge_conformance.target.doctor.duration import (
    OVERHEAD_S,
    TYPICAL_SHARE,
    UNCERTAINTY,
    Work,
    estimate_run,
    estimate_seconds,
)

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Exchange

SETTINGS = Settings(Target("https://api.example.org"), {}, profiles=DOCUMENTED)
DRIVE = replace(SETTINGS, apps=AppSettings(Mode.DRIVE, "a-space", "a-droplet"))
WITH_HOOK = replace(DRIVE, hook=parse_hook("http://localhost/hook"))
OBSERVE = replace(SETTINGS, apps=AppSettings(Mode.OBSERVE))


def probes(*milliseconds: int) -> list[Exchange]:
    """Return probes that took so long."""
    builder = EvidenceBuilder()
    answers = [builder.add_exchange(Scenario.PREFLIGHT, Step.EVENTS) for _ in milliseconds]
    return [replace(x, elapsed=each / 1000) for x, each in zip(answers, milliseconds, strict=True)]


def estimate(settings: Settings, *milliseconds: int) -> float:
    """Return the estimate for probes that took so long."""
    return estimate_run(probes(*milliseconds), expected_work(settings), settings.limits)


@pytest.mark.parametrize(
    ("settings", "milliseconds", "requests", "seconds"),
    [
        (DRIVE, (16, 16, 7, 10, 14, 3), 964, 125),
        (WITH_HOOK, (29, 81, 95, 50, 102, 50), 964, 113),
        (WITH_HOOK, (11, 118, 54, 61, 44, 57), 952, 132),
        (OBSERVE, (336, 134, 44, 58, 17, 11), 528, 19),
        (OBSERVE, (69, 110, 56, 86, 77, 20), 534, 27),
        (OBSERVE, (19, 94, 77, 74, 65, 20), 553, 30),
    ],
)
def test_estimate_is_close_to_recorded_runs(
    settings: Settings, milliseconds: tuple[int, ...], requests: int, seconds: int
) -> None:
    """From the first responses and the work of a recorded run follows its duration, as closely as it is printed."""
    work = replace(expected_work(settings), requests=round(requests / TYPICAL_SHARE))
    estimated = estimate_seconds(probes(*milliseconds), work) - OVERHEAD_S  # it was not judged
    assert seconds / UNCERTAINTY <= estimated <= seconds * UNCERTAINTY


def test_estimate_grows_with_work() -> None:
    """Slower responses, more requests, waits and apps with droplets take longer; limits bound the estimate."""
    assert estimate(OBSERVE, 10) < estimate(OBSERVE, 200) < estimate(DRIVE, 200)
    assert estimate(replace(DRIVE, apps=AppSettings(Mode.DRIVE)), 10) < estimate(DRIVE, 10)
    assert estimate(replace(DRIVE, limits=Limits(max_time=20)), 10) == 20
    assert estimate(replace(DRIVE, limits=Limits(max_requests=100)), 10) < estimate(DRIVE, 10)
    assert expected_work(DRIVE).apps_with_droplets > Work().apps_with_droplets
