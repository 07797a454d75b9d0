"""A client notices the difference that each variant makes."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

import pytest

from meta.support.transcript import transcript
from purge_conformance.reference import behaviour_with
from purge_conformance.reference.behaviour import Behaviour
from purge_conformance.reference.registry import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from meta.support.reference_api import Api
    from meta.support.transcript import Exchange


# Visible only with an address and connections: test_serve.py tests them.
OF_THE_SERVER = {"below-a-path", "closes-idle-connections", "ipv6"}
OF_CONNECTIONS = {"firewall-closes", "one-purge-answer-lost"}  # they close one; the selfcheck fails if they do not
OF_TIME = {"one-request-at-a-time"}  # what arrives meanwhile waits: variants/test_turns.py
OF_A_STATE = {"failed-purge-is-done"}  # shows where a hook has set one, as in a selfcheck


@pytest.fixture(scope="module")
def baseline_transcript() -> list[Exchange]:
    """The transcript of an instance without variants; the first test fills it."""
    return []


@pytest.mark.parametrize("name", sorted(VARIANTS.keys() - OF_THE_SERVER - OF_CONNECTIONS - OF_TIME - OF_A_STATE))
def test_variant_changes_transcript(
    name: str, api_behaving: Callable[[Behaviour], Api], baseline_transcript: list[Exchange]
) -> None:
    """The transcript of an instance with a variant differs; it ends at the first difference."""
    if not baseline_transcript:
        baseline_transcript.extend(transcript(api_behaving(Behaviour())))
    exchanges = transcript(api_behaving(behaviour_with([name])))
    assert any(one != other for one, other in zip_longest(exchanges, baseline_transcript))
