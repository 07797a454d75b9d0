"""The sets of headers: they can be sent, are not longer than servers allow, and are sent again where it helps."""

from __future__ import annotations

import pytest
import requests

from purge_conformance.evidence.tag_values import HeaderSet
from purge_conformance.scenarios.purge_headers import INSTEAD, OF_GENERATED, OF_WALK, SETS

MAX_HEADER_BYTES = 8000  # of all fields together, which common servers accept
TARGET = "https://api.example.org/cf"


def test_each_set_is_sent_by_a_purge_or_instead_of_one() -> None:
    """No set is left out."""
    carried = {*OF_GENERATED, *OF_WALK}
    assert carried | {INSTEAD[name] for name in carried if name in INSTEAD} == {*HeaderSet} == {*SETS}


@pytest.mark.parametrize("name", HeaderSet)
def test_headers_can_be_sent(name: HeaderSet) -> None:
    """Each value is a field value of HTTP, and all fit into what servers accept."""
    headers = {key: value for key, value in SETS[name](TARGET).items() if value is not None}
    prepared = requests.Request("POST", TARGET, headers).prepare()
    size = sum(len(key) + len(value.encode("latin-1")) + 4 for key, value in prepared.headers.items())
    assert size < MAX_HEADER_BYTES


def test_hosts_are_those_of_the_target() -> None:
    """A forwarded host or scheme is the target's own: another one may be refused for a good reason."""
    headers = SETS[HeaderSet.CLIENTS](TARGET)
    assert (headers["X-Forwarded-Host"], headers["X-Forwarded-Proto"]) == ("api.example.org", "https")
    assert headers["Origin"] == "https://api.example.org"
