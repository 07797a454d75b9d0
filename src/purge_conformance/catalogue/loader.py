"""The only reader of `spec/`."""

from __future__ import annotations

import hashlib
import json
from fnmatch import fnmatchcase
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml

from purge_conformance.catalogue.model import (
    Case,
    Disturbance,
    Fault,
    Level,
    Need,
    Profile,
    Requirement,
    ServerProfile,
    Source,
    Variant,
    set_order,
)
from purge_conformance.errors import BadData, BadSetting, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

OPENAPI = "openapi.yaml"
REQUIREMENTS = "requirements.yaml"
FILES = (OPENAPI, REQUIREMENTS)


def read_text(name: str) -> str:
    """Return a file of `spec/` as text."""
    return (files("purge_conformance.spec") / name).read_text(encoding="utf-8")


@cache
def digests() -> dict[str, str]:
    """Return file -> SHA-256 of the files that decide a verdict."""
    return {name: hashlib.sha256(read_text(name).encode()).hexdigest() for name in FILES}


@cache
def document(name: str) -> Any:  # noqa: ANN401 -- YAML or JSON of any shape
    """Return a YAML or JSON file of `spec/`, parsed; the caller must not change it."""
    if name.endswith(".json"):
        return json.loads(read_text(name))
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(read_text(name), Loader=loader)  # noqa: S506 -- both are safe loaders


@cache
def requirements() -> tuple[Requirement, ...]:
    """Return all requirements in the order of the file.

    Raises:
        BadData: a key, value or reference in the file is unknown, an id occurs twice, or `rests_on` forms a cycle.
    """
    data = document(REQUIREMENTS)
    sources = {key: Source(**row) for key, row in data["sources"].items()}
    entries = tuple(_requirement(row, sources) for row in data["requirements"])
    _require_unique([requirement.id for requirement in entries], "each requirement")
    by_id = {requirement.id: requirement for requirement in entries}
    for requirement in entries:
        _require_unique([case.id for case in requirement.cases], f"each case of {requirement.id}")
        _require_known(requirement, by_id)
    _require_acyclic(by_id)
    return entries


@cache
def requirement_set() -> str:
    """Return the newest requirement set: the newest `since` of a requirement or a case."""
    sets = {each.since for each in requirements()} | {case.since for each in requirements() for case in each.cases}
    return max(sets, key=set_order)


def _requirement(row: dict[str, Any], sources: dict[str, Source]) -> Requirement:
    try:
        values = {
            "level": Level(row["level"]),
            "profile": Profile(row["profile"]),
            "source": sources[row["source"]],
            "requires": Need(row["requires"]) if "requires" in row else None,
            "scenarios": tuple(row.get("scenarios", ())),
            "rests_on": tuple(row.get("rests_on", ())),
            "assumes": tuple(row.get("assumes", ())),
            "disturbed_by": tuple(map(Disturbance, row.get("disturbed_by", ()))),
            "cases": tuple(_case(case) for case in row.get("cases", ())),
        }
        return Requirement(**{**row, **values})
    except (KeyError, TypeError, ValueError) as error:
        raise BadData(
            f"{REQUIREMENTS}: {row.get('id')} is not what requirements.schema.json expects ({error}). Correct the file."
        ) from None


def _case(row: dict[str, Any]) -> Case:
    return Case(**{**row, "rests_on": tuple(row.get("rests_on", ()))})


def _require_unique(ids: Sequence[str], what: str) -> None:
    if duplicates := sorted({name for name in ids if ids.count(name) > 1}):
        raise BadData(f"{REQUIREMENTS} has {', '.join(duplicates)} twice. Give {what} an id of its own.")


def _require_known(requirement: Requirement, by_id: Mapping[str, Requirement]) -> None:
    named = {*requirement.all_prerequisites(), *requirement.assumes}
    if unknown := sorted(named - by_id.keys()):
        raise BadData(
            f"{REQUIREMENTS}: {requirement.id} rests on or assumes {', '.join(unknown)}, which the file does not have. "
            "Name ids of requirements."
        )


def _require_acyclic(by_id: Mapping[str, Requirement]) -> None:
    try:
        TopologicalSorter({name: each.all_prerequisites() for name, each in by_id.items()}).prepare()
    except CycleError as error:
        cycle = " -> ".join(error.args[1])
        raise BadData(f"{REQUIREMENTS}: rests_on forms a cycle, {cycle}. Remove one of these references.") from None


def parse_profiles(names: Sequence[str]) -> tuple[Profile, ...]:
    """Return the profiles of these names.

    Raises:
        BadSetting: a name is not a profile.
    """
    profiles_by_name = {str(profile): profile for profile in Profile}
    for name in names:
        if name not in profiles_by_name:
            known = ", ".join(profiles_by_name)
            raise BadSetting(f"{name!r} is not a profile.{did_you_mean(name, profiles_by_name)} Give one of: {known}.")
    return tuple(profiles_by_name[name] for name in names)


def select_requirements(profiles: Iterable[Profile], select: Iterable[str] = ()) -> tuple[Requirement, ...]:
    """Return the requirements of the profiles whose id matches a glob, or all where no glob is given.

    Those of core are always among them: `upstream` adds to them, and `observe-only` restricts both to what needs only
    reads.

    Raises:
        BadSetting: a glob matches no requirement of these profiles.
    """
    profile_set = set(profiles)
    base_profiles = profile_set | {Profile.CORE}
    candidates = tuple(
        r
        for r in requirements()
        if r.profile in base_profiles and (r.observed or Profile.OBSERVE_ONLY not in profile_set)
    )
    globs = tuple(select)
    for glob in globs:
        if not any(fnmatchcase(r.id, glob) for r in candidates):
            names = ", ".join(sorted(profile_set))
            raise BadSetting(
                f"--select {glob!r} matches no requirement of {names}.{did_you_mean(glob, [r.id for r in candidates])} "
                "`purge-conformance list` prints all ids."
            )
    return tuple(r for r in candidates if not globs or any(fnmatchcase(r.id, glob) for glob in globs))


def with_prerequisites(selected: Iterable[Requirement]) -> tuple[Requirement, ...]:
    """Return these requirements and all that they rest on, directly or through others, in the order of the file."""
    by_id = {each.id: each for each in requirements()}
    names: set[str] = set()
    pending = [each.id for each in selected]
    while pending:
        name = pending.pop()
        if name not in names:
            names.add(name)
            pending += by_id[name].all_prerequisites()
    return tuple(each for each in requirements() if each.id in names)


def assumed_by(selected: Iterable[Requirement]) -> tuple[Requirement, ...]:
    """Return what these requirements assume, in the order of the file."""
    names = {name for each in selected for name in each.assumes}
    return tuple(each for each in requirements() if each.id in names)


@cache
def faults() -> tuple[Fault, ...]:
    """Return the faults of the reference server."""
    rows = document("faults.yaml")["faults"]
    return tuple(Fault(**{**row, "requirements": tuple(row["requirements"])}) for row in rows)


@cache
def variants() -> tuple[Variant, ...]:
    """Return the variants of the reference server."""
    return tuple(_variant(row) for row in document("variants.yaml")["variants"])


def server_profiles() -> tuple[ServerProfile, ...]:
    """Return the implementations with many variants at once."""
    return tuple(
        ServerProfile(**{**row, "variants": tuple(row["variants"])}) for row in document("variants.yaml")["profiles"]
    )


def _variant(row: dict[str, Any]) -> Variant:
    lists = {name: tuple(row.get(name, ())) for name in ("violates_should", "not_judged")}
    return Variant(**{**row, **lists, "profiles": parse_profiles(row["profiles"])})


@cache
def documented_statuses() -> dict[str, tuple[int, ...]]:
    """Return operationId -> the statuses that openapi.yaml documents, ascending."""
    return {
        operation["operationId"]: tuple(sorted(int(status) for status in operation["responses"]))
        for item in document(OPENAPI)["paths"].values()
        for method, operation in item.items()
        if method in {"get", "post"}
    }
