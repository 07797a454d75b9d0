"""The faults: all are registered, and they can be combined. The self-check shows that each is visible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.reference_api import PURGE
from meta.support.transcript import transcript
from purge_conformance import catalogue
from purge_conformance.errors import BadSetting
from purge_conformance.reference import behaviour_with
from purge_conformance.reference.behaviour import Behaviour
from purge_conformance.reference.registry import FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from meta.support.reference_api import Api


def test_faults_are_catalogued() -> None:
    """The faults of the server are those of spec/faults.yaml, each once."""
    assert sorted(fault.id for fault in catalogue.faults()) == sorted(FAULTS)


def test_transcript_repeats(api_behaving: Callable[[Behaviour], Api]) -> None:
    """Two instances without a fault respond alike, so that a difference shows a fault."""
    assert [*transcript(api_behaving(Behaviour()))] == [*transcript(api_behaving(Behaviour()))]


def test_faults_can_be_combined(api_behaving: Callable[[Behaviour], Api]) -> None:
    """Two faults of one instance are both visible."""
    api = api_behaving(behaviour_with(["purge-answers-202", "purge-returns-data"]))
    answer = api.post(PURGE)
    assert (answer.status, answer.text) == (202, '{"purged":0}')


def test_unknown_fault_is_rejected() -> None:
    """An unknown fault is a usage error, and the message names the known faults."""
    with pytest.raises(BadSetting, match=r"'keeps-oldest' is not a fault or a variant .* mean keeps-oldest-event"):
        behaviour_with(["keeps-oldest"])
