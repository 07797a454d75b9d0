"""Results and runs whose text a target controls."""

from __future__ import annotations

from typing import Any

from purge_conformance.catalogue.model import Level, Profile, Requirement, Source
from purge_conformance.evidence.records import Evidence, Header
from purge_conformance.report.model import Cause, Finding, Outcome, Result, Run, StatusCount, Timing, roll_up

HOSTILE = [
    "</script><img src=x onerror=alert(1)>",
    "]]><!--",
    "\x00\x1b[31m\x9b2J\x07",
    "\u202egnp.exe\u2066",
    "lone \ud800 surrogate",
    "a | b \\| `c` ``` ```` [d](javascript:e) ![f](g) <b> &amp; https://h.example www.i.example",
    "::error::x\n::set-output name=a::b\r\n##vso[task.complete]##[error]",
    "\ufffe\uffff\u2028",
    "x" * 1_000_000,
]


def requirement(identifier: str = "PURGE-01", level: Level = Level.MUST, **members: Any) -> Requirement:  # noqa: ANN401
    """Return a requirement; members replace the default ones."""
    values: dict[str, Any] = {
        "profile": Profile.CORE,
        "since": "1.0",
        "group": "Purge",
        "statement": "A purge answers `200`.",
        "quote": "200 OK",
        "source": Source("the page", "https://docs.example/purge"),
        "operation": "purge",
        "shown_by": "The suite checks the status.",
        "remedy": "See the route.",
    }
    return Requirement(identifier, level, **(values | members))


def result(identifier: str, level: Level, outcome: Outcome, text: str = "") -> Result:
    """Return a result that contains the text wherever a target's text can be."""
    missed = outcome in {Outcome.INCONCLUSIVE, Outcome.NOT_EXERCISED}
    return Result(
        requirement(identifier, level),
        outcome,
        cause=None if outcome is Outcome.PASSED else Cause.TARGET,
        reason=f"because {text}" if missed else "",
        next_step=f"Do {text}." if missed else "",
        findings=(Finding(f"no {text}", f"got {text}", 1, f"curl '{text}'"),) if outcome is Outcome.FAILED else (),
        exchanges=(1,),
        seconds=0.25,
    )


def make_run(text: str = "words", *, levels: tuple[Level, ...] = tuple(Level)) -> Run:
    """Return a run with each outcome at each of the levels, full of the text."""
    rows = tuple(result(f"{level}-{n:02}", level, o, text) for level in levels for n, o in enumerate(Outcome))
    return Run(
        suite_version="0.1.0",
        spec_version="1.0.0",
        spec_digests={"openapi.yaml": "a" * 64},
        target="http://127.0.0.1:1/v",
        settings={"seed": 1, "limits": {"timeout": 30.0}, "roles": ["admin", text]},
        started_at="2026-01-02T03:04:05.500Z",
        finished_at="2026-01-02T03:04:11.700Z",
        requests=12,
        purges=1,
        requirements=rows,
        statuses=(StatusCount("purge", 200, documented=True, count=3),),
        timings=(Timing("purge_as_admin", 1.5, 7),),
        notes=(text,),
        verdict=roll_up(rows),
    )


NOTHING = Evidence(Header("0.1.0", {}, "http://127.0.0.1:1/v", {}, "2026-01-02T03:04:05Z"), (), ())
