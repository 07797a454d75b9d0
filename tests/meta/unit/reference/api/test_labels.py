"""Labels and label selectors of the reference server."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from meta.support.reference_api import relationship

if TYPE_CHECKING:
    from meta.support.reference_api import Api


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("tier", {"web", "back"}),
        ("!tier", {"bare"}),
        ("tier=web", {"web"}),
        ("tier==back", {"back"}),
        ("tier!=web", {"back", "bare"}),
        ("tier in (web,back)", {"web", "back"}),
        ("tier notin (web)", {"back", "bare"}),
        ("tier,example.org/stage in (one,two)", {"web"}),
        ("tier=", set()),
    ],
)
def test_labels_select(api: Api, selector: str, found: set[str]) -> None:
    """A label selector selects by each of its operators, and by several requirements at once."""
    space = api.space()
    every = {"web": {"tier": "web", "example.org/stage": "two"}, "back": {"tier": "back"}, "bare": {}}
    for name, labels in every.items():
        body = {"name": name, **relationship("space", space), "metadata": {"labels": labels}}
        assert api.post("/v3/apps", body).json["metadata"]["labels"] == labels
    rows = api.get(f"/v3/apps?label_selector={quote(selector)}").json["resources"]
    assert {row["name"] for row in rows} == found


@pytest.mark.parametrize(
    "labels", [{"no dots/key": "a"}, {"purge/key": "a"}, {"cloudfoundry.org/a": "b"}, {"a": "-b"}, {"a": 1}, ["a"]]
)
def test_invalid_labels_are_rejected(api: Api, labels: object) -> None:
    """A label against Cloud Controller's rules responds with 422; a prefix needs a dot, and one is reserved."""
    body = {"name": "a", **relationship("space", api.space()), "metadata": {"labels": labels}}
    assert api.post("/v3/apps", body).status == 422
