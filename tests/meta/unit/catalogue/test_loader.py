"""The catalogue: selection, invalid files, and digests."""

from __future__ import annotations

import hashlib
import json

import jsonschema
import pytest
import yaml

from purge_conformance import catalogue
from purge_conformance.catalogue import loader
from purge_conformance.catalogue.model import DOCUMENTED, Profile
from purge_conformance.errors import BadData, BadSetting

CORE, UPSTREAM = Profile.CORE, Profile.UPSTREAM


def test_upstream_includes_core() -> None:
    """Core has its own requirements, and upstream has all."""
    core, every = (catalogue.select_requirements([profile]) for profile in DOCUMENTED)
    assert {r.profile for r in core} == {CORE}
    assert every == catalogue.requirements()


@pytest.mark.parametrize(
    ("globs", "count"),
    [(["PURGE-01"], 1), (["PURGE-01", "PURGE-*"], 6), (["*-01"], None), ([], None)],
)
def test_select_matches_globs(globs: list[str], count: int | None) -> None:
    """A glob selects ids, several globs add up, none selects all, and the order is that of the file."""
    found = catalogue.select_requirements([CORE], globs)
    assert count is None or len(found) == count
    assert list(found) == [r for r in catalogue.requirements() if r in found]


@pytest.mark.parametrize("glob", ["NO-SUCH", "purge-01", "UP-*", ""])
def test_unknown_glob_is_rejected(glob: str) -> None:
    """A glob that matches nothing in the profile is a bad setting; the message names `list`."""
    with pytest.raises(BadSetting, match="purge-conformance list"):
        catalogue.select_requirements([CORE], ["PURGE-*", glob])


def test_unknown_profile_is_rejected() -> None:
    """An unknown profile is a bad setting; the message names the known profiles."""
    with pytest.raises(BadSetting, match="core, upstream"):
        catalogue.parse_profiles(["core", "downstream"])


def test_digests_match_files() -> None:
    """The digests equal the output of sha256sum for the files that decide a verdict."""
    for name, digest in catalogue.digests().items():
        assert hashlib.sha256(catalogue.read_text(name).encode()).hexdigest() == digest
    assert set(catalogue.digests()) == {"openapi.yaml", "requirements.yaml"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"level": "MUSTN'T"}, "not what requirements.schema.json expects"),
        ({"profile": "downstream"}, "not what requirements.schema.json expects"),
        ({"source": "hearsay"}, "not what requirements.schema.json expects"),
        ({"colour": "blue"}, "not what requirements.schema.json expects"),
        ({"disturbed_by": ["rain"]}, "not what requirements.schema.json expects"),
        ({"cases": [{"id": "a"}]}, "not what requirements.schema.json expects"),
        ({"cases": [{"id": "a", "text": "A.", "since": "1.0"}] * 2}, "has a twice"),
        ({"rests_on": ["NO-01"]}, "PURGE-01 rests on or assumes NO-01"),
        ({"assumes": ["NO-01"]}, "PURGE-01 rests on or assumes NO-01"),
        ({"rests_on": ["MODEL-01"]}, "rests_on forms a cycle"),
        ({"id": "SEED-01"}, "twice"),
    ],
)
def test_invalid_requirement_is_rejected(
    change: dict[str, object], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that does not match its format is bad data, and the message names the requirement."""
    data = json.loads(json.dumps(catalogue.document("requirements.yaml")))
    data["requirements"][0] |= change
    with monkeypatch.context() as patch:
        patch.setattr(loader, "document", lambda _: data)
        with pytest.raises(BadData, match=words):
            catalogue.requirements.__wrapped__()


def test_documented_statuses_match_openapi() -> None:
    """The documented statuses are those of openapi.yaml, ascending."""
    raw = yaml.safe_load(catalogue.read_text("openapi.yaml"))["paths"]["/v3/app_usage_events"]["get"]
    found = catalogue.documented_statuses()[raw["operationId"]]
    assert [str(status) for status in found] == sorted(raw["responses"])
    assert len(catalogue.documented_statuses()) == 3


OBSERVED = {r.id for r in catalogue.requirements() if r.observed}


def test_observe_only_selects_reads() -> None:
    """The profile selects the requirements that need no purge; by default those of core."""
    alone = {r.id for r in catalogue.select_requirements([Profile.OBSERVE_ONLY])}
    assert alone == {r.id for r in catalogue.select_requirements([Profile.CORE, Profile.OBSERVE_ONLY])}
    assert {r.id for r in catalogue.select_requirements([*DOCUMENTED, Profile.OBSERVE_ONLY])} == OBSERVED
    assert alone < OBSERVED


def test_requirements_match_schema() -> None:
    """requirements.yaml is valid against its schema."""
    validator = jsonschema.Draft202012Validator(catalogue.document("requirements.schema.json"))
    assert [error.message for error in validator.iter_errors(catalogue.document("requirements.yaml"))] == []


def test_case_adds_prerequisites() -> None:
    """A failure rests on what the requirement names, and on what the case that failed names."""
    by_id = {requirement.id: requirement for requirement in catalogue.requirements()}
    model = by_id["MODEL-01"]
    assert model.prerequisites() == ()
    assert "LIST-04" in model.prerequisites("filtered-reads")
    assert "LIST-04" not in model.prerequisites("listed-events")
    assert set(model.prerequisites("listed-events")) < set(model.all_prerequisites())
    assert by_id["AUTH-12"].prerequisites("any case") == ("AUTH-11",)
