"""The evidence as one judgment reads it."""

from __future__ import annotations

from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from purge_conformance.analysis.outcomes import Undecided
from purge_conformance.analysis.unanswered import find_unanswered
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.evidence.intermediaries import (
    is_closed_on_unusual,
    is_firewall_page,
    is_firewall_refusal,
    is_of_target,
)
from purge_conformance.evidence.records import Evidence, Exchange, Result
from purge_conformance.evidence.steps import Scenario, Step, Tag
from purge_conformance.report.model import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from purge_conformance.evidence.records import Span
    from purge_conformance.evidence.steps import App, Phase, Place

Item = TypeVar("Item")
SHARED_CACHES = ("by_place", "snapshot_keys", "cache", "_by_number", "_spans", "_complete", "_notes")


class JudgmentView(Evidence):
    """The evidence of a run as one judgment reads it.

    Attributes:
        read_exchanges: numbers of the exchanges that the judgment read.
        tally: how many trials it judged, and how many of them failed.
        cases: case -> the number of the exchange that decided each of its trials.
        untried: case -> why the judgment could not try it, where it knows more than the engine would find out.
        full_evidence: the evidence itself, which does not record what is read.
    """

    def __init__(self, evidence: Evidence) -> None:
        """Wrap the evidence, and share the caches of its queries."""
        super().__init__(evidence.header, evidence.exchanges, evidence.notes, evidence.list_ends, evidence.all_spans)
        object.__setattr__(self, "read_exchanges", [])
        for name, value in (("tally", Tally()), ("cases", {}), ("untried", {})):
            object.__setattr__(self, name, value)
        self.__dict__.update(
            {name: getattr(evidence, name) for name in SHARED_CACHES}
        )  # computed once for all judgments
        object.__setattr__(
            self, "full_evidence", evidence.full_evidence if isinstance(evidence, JudgmentView) else evidence
        )

    read_exchanges: list[int]
    tally: Tally
    cases: dict[str, list[int]]
    untried: dict[str, Undecided]
    full_evidence: Evidence

    def count(self, case: str, trials: Iterable[Exchange | int]) -> None:
        """Count trials of a case of the requirement, each by the exchange that decides it, or its number.

        An exchange that the target did not answer decides nothing and is not counted, except where a firewall refused
        it by a page, or by closing the connection on an unusual request. What runs inside `memoized` must not count: it
        belongs to no judgment.
        """
        numbers = [each if isinstance(each, int) else each.n for each in trials]
        decisive = tried(super().numbered(numbers))
        self.read_exchanges.extend(numbers)
        if decisive:
            self.cases.setdefault(case, []).extend(x.n for x in decisive)

    def count_responses(self, case: str, responses: Iterable[Exchange]) -> None:
        """Count responses of which each decides a case by itself, also those of a rate limit."""
        numbers = [x.n for x in responses]
        self.read_exchanges.extend(numbers)
        self.cases.setdefault(case, []).extend(numbers)

    def count_whole(self, case: str, requests: Iterable[Exchange]) -> None:
        """Count the requests that a case consists of: none of them if the target did not answer one of them."""
        sent = list(requests)
        unanswered = find_unanswered(sent) if len(tried(sent)) < len(sent) else None
        if unanswered:
            self.explain(case, unanswered)
        else:
            self.count(case, sent)

    def count_parts(self, requests: Iterable[Exchange], cases_of: Callable[[Exchange], Iterable[str]]) -> None:
        """Count requests for the cases that each is a part of, as `count_whole` does for one case."""
        parts: dict[str, list[Exchange]] = {}
        for x in requests:
            for case in cases_of(x):
                parts.setdefault(case, []).append(x)
        for case, sent in parts.items():
            self.count_whole(case, sent)

    def case_of(self, number: int) -> str | None:
        """Return the case that an exchange is a trial of: the most special one; None if there is none, or several."""
        sizes = {case: len(numbers) for case, numbers in self.cases.items() if number in numbers}
        special = [case for case, size in sizes.items() if size == min(sizes.values())]
        return special[0] if len(special) == 1 else None

    def explain(self, case: str, reason: Undecided) -> None:
        """Say why a case was not tried; a case that was counted needs no reason."""
        self.untried[case] = reason

    def cached(self, find: Callable[[Evidence], Result]) -> Result:
        """Return the result of a query over the full evidence, as `Evidence.cached` does."""
        return self.full_evidence.cached(find)

    def memoized(self, query: Callable[[JudgmentView], Iterable[Item]]) -> list[Item]:
        """Return the results of a query that runs once per run; what it read counts as read by each judgment."""
        if query not in self.cache:
            recorder = JudgmentView(self)
            try:
                self.cache[query] = list(query(recorder)), recorder.read_exchanges
            except Undecided:
                self.read_exchanges.extend(recorder.read_exchanges)
                raise
        results, numbers = self.cache[query]
        self.read_exchanges.extend(numbers)
        return list(results)

    def of(  # noqa: PLR0913 -- the members of a place, as in Evidence
        self,
        scenario: Scenario,
        *steps: Step,
        round: int = 1,
        index: int | None = None,
        phase: Phase | None = None,
        app: App | None = None,
        sequence: int | None = None,
        position: int | None = None,
    ) -> tuple[Exchange, ...]:
        """Return the exchanges of a scenario, as `Evidence.of` does."""
        return self._read(
            super().of(
                scenario,
                *steps,
                round=round,
                index=index,
                phase=phase,
                app=app,
                sequence=sequence,
                position=position,
            )
        )

    def at(self, scenario: Scenario, place: Place, round: int = 1) -> tuple[Exchange, ...]:
        """Return the exchanges of a place, as `Evidence.at` does."""
        return self._read(super().at(scenario, place, round))

    def numbered(self, numbers: Iterable[int]) -> tuple[Exchange, ...]:
        """Return the exchanges with these numbers, as `Evidence.numbered` does."""
        return self._read(super().numbered(numbers))

    def spans(self, scenario: Scenario, *steps: Step, round: int | None = None) -> tuple[Span, ...]:
        """Return the spans of a scenario, as `Evidence.spans` does."""
        spans = super().spans(scenario, *steps, round=round)
        self.read_exchanges.extend(n for span in spans for n in (*span.requests, *span.before, *span.after))
        return spans

    def _read(self, exchanges: tuple[Exchange, ...]) -> tuple[Exchange, ...]:
        self.read_exchanges.extend(x.n for x in exchanges)
        return exchanges

    def resource_exchanges(self) -> tuple[Exchange, ...]:
        """Return every exchange on the resource or below it that the target itself answered, of any scenario.

        Requests for another form of the response do not count: the documentation does not describe their responses.
        """
        return self._resource_exchanges

    @cached_property
    def _resource_exchanges(self) -> tuple[Exchange, ...]:
        exchanges = self.cached(_find_resource_exchanges)
        self.read_exchanges.extend(x.n for x in exchanges)
        return exchanges

    def error_responses(self) -> tuple[Exchange, ...]:
        """Return every error response of the resource that can have a body, except those of alternative spellings."""
        errors = (
            x for x in self.resource_exchanges() if x.method != "HEAD" and (x.status or 0) >= HTTPStatus.BAD_REQUEST
        )
        return tuple(x for x in errors if x.step is not Step.SPELLING)


def target_responses(exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    """Return the exchanges that the target itself answered."""
    return tuple(x for x in exchanges if is_of_target(x))


def tried(exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    """Return the exchanges that the target answered, and those refused by a firewall: by a page, or by closing."""
    return tuple(x for x in exchanges if is_of_target(x) or is_firewall_page(x) or is_closed_on_unusual(x))


def past_firewalls(exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    """Return the exchanges that the target itself answered, without those that a firewall may have refused."""
    return tuple(x for x in target_responses(exchanges) if not is_firewall_refusal(x))


def _find_resource_exchanges(evidence: Evidence) -> tuple[Exchange, ...]:
    sent = (x for x in evidence.exchanges if x.route.startswith(EVENTS_PATH) and not _asks_for_another_form(x))
    return past_firewalls(sent)


def _asks_for_another_form(x: Exchange) -> bool:
    return x.step is Step.OTHER_HEADERS or bool({Tag.HEADERS, Tag.PART_OF_SET} & x.tags.keys())
