"""The catalogue: what is selected, what it refuses, and that its digests are those of the files."""

from __future__ import annotations

import hashlib
import json

import pytest
import yaml

from purge_conformance import catalogue
from purge_conformance.catalogue import loader
from purge_conformance.catalogue.model import DOCUMENTED, Profile
from purge_conformance.errors import BadData, BadSetting

CORE, UPSTREAM = Profile.CORE, Profile.UPSTREAM


def test_profiles_are_disjoint() -> None:
    """Each profile has requirements of its own, and together they have all."""
    parts = [catalogue.select_requirements([profile]) for profile in DOCUMENTED]
    assert sum(map(len, parts)) == len(catalogue.requirements())
    assert {r.profile for r in parts[0]} == {CORE}


@pytest.mark.parametrize(
    ("globs", "count"),
    [(["PURGE-01"], 1), (["PURGE-01", "PURGE-*"], 6), (["*-01"], None), ([], None)],
)
def test_select_is_by_glob(globs: list[str], count: int | None) -> None:
    """A glob selects ids, several add up, none selects all, and the order stays that of the file."""
    found = catalogue.select_requirements([CORE], globs)
    assert count is None or len(found) == count
    assert list(found) == [r for r in catalogue.requirements() if r in found]


@pytest.mark.parametrize("glob", ["NO-SUCH", "purge-01", "UP-*", ""])
def test_select_refuses_unknown(glob: str) -> None:
    """A glob that matches nothing of the profile is a bad setting that leads to the list."""
    with pytest.raises(BadSetting, match="purge-conformance list"):
        catalogue.select_requirements([CORE], ["PURGE-*", glob])


def test_profiles_refuse_unknown() -> None:
    """An unknown profile is a bad setting that names the known ones."""
    with pytest.raises(BadSetting, match="core, upstream"):
        catalogue.parse_profiles(["core", "downstream"])


def test_digests_are_of_files() -> None:
    """The digests are what sha256sum prints for the files that the verdict rests on."""
    for name, digest in catalogue.digests().items():
        assert hashlib.sha256(catalogue.read_text(name).encode()).hexdigest() == digest
    assert set(catalogue.digests()) == {"openapi.yaml", "requirements.yaml"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"level": "MUSTN'T"}, "cannot be read"),
        ({"profile": "downstream"}, "cannot be read"),
        ({"source": "hearsay"}, "cannot be read"),
        ({"colour": "blue"}, "cannot be read"),
        ({"id": "SEED-01"}, "twice"),
    ],
)
def test_requirements_refuse(change: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is not what its head says is bad data that names the requirement."""
    data = json.loads(json.dumps(catalogue.document("requirements.yaml")))
    data["requirements"][0] |= change
    with monkeypatch.context() as patch:
        patch.setattr(loader, "document", lambda _: data)
        with pytest.raises(BadData, match=words):
            catalogue.requirements.__wrapped__()


def test_documented_statuses_are_the_contracts() -> None:
    """The documented statuses are those of openapi.yaml as it is written, ascending."""
    raw = yaml.safe_load(catalogue.read_text("openapi.yaml"))["paths"]["/v3/app_usage_events"]["get"]
    found = catalogue.documented_statuses()[raw["operationId"]]
    assert [str(status) for status in found] == sorted(raw["responses"])
    assert len(catalogue.documented_statuses()) == 3
