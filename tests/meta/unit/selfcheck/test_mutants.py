"""The mutants of a self-check."""

from __future__ import annotations

import pytest

from purge_conformance import catalogue
from purge_conformance.errors import BadSetting
from purge_conformance.selfcheck.mutants import FAULTLESS, Kind, draw_pairs, select_servers


def test_every_mutant_is_listed() -> None:
    """The self-check has every fault, the reference server, and every variant once, alone or in a profile."""
    faults, variants = ([each.id for each in found] for found in (catalogue.faults(), catalogue.variants()))
    assert sorted(s.name for s in select_servers() if s.kind is Kind.FAULT) == sorted(faults)
    assert [s.name for s in select_servers() if s.kind is Kind.FAULTLESS] == [FAULTLESS]
    assert sorted(name for s in select_servers() for name in s.variants) == sorted(variants)


def test_profile_variant_can_run_alone() -> None:
    """A variant of a profile can be selected alone; the profile conforms if each of its variants does."""
    make = catalogue.server_profiles()[0]
    alone, together = (select_servers([name])[0] for name in (make.variants[0], make.id))
    assert (alone.variants, together.variants) == (make.variants[:1], make.variants)
    profiles = {variant.id: variant.profiles for variant in catalogue.variants()}
    assert set(together.profiles) == set.intersection(*(set(profiles[name]) for name in make.variants))


def test_unknown_mutant_is_rejected() -> None:
    """A pattern that matches nothing is a usage error."""
    with pytest.raises(BadSetting, match="'no-such-\\*' matches no fault and no variant"):
        select_servers(["no-such-*"])


def test_pairs_touch_time_differently() -> None:
    """Pairs of variants are drawn by seed; both touch time, in different ways, and each pair is one server."""
    pairs = draw_pairs(7, 30)
    assert pairs == draw_pairs(7, 30) != draw_pairs(8, 30)
    parts = {variant.id: variant.touches_time for variant in catalogue.variants()}
    for pair in pairs:
        first, second = pair.variants
        assert None not in {parts[first], parts[second]}
        assert parts[first] != parts[second]
        assert pair.options == ("--variant", first, "--variant", second)
    assert len({pair.name for pair in pairs}) == 30


def test_profile_expects_only_what_is_judged() -> None:
    """A SHOULD of a profile in which another variant does not conform is not expected to fail."""
    profiles = {requirement.id: requirement.profile for requirement in catalogue.requirements()}
    for server in select_servers():
        if server.kind is Kind.VARIANT:
            assert {profiles[name] for name in server.fails} <= set(server.profiles), server.name
