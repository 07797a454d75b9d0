"""The progress of a run, for a terminal and for a log."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from purge_conformance.catalogue.model import Profile
from purge_conformance.cli.progress import Reporter, Verbosity, format_left, format_seconds
from purge_conformance.cli.stages import IN_WORDS, Countdown
from purge_conformance.evidence.steps import Scenario, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from meta.support.story import EvidenceBuilder
    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client


def printed_progress(
    client: Client, builder: EvidenceBuilder, loudness: Verbosity, *, terminal: bool = False, path: str = "/v3"
) -> str:
    """Return the printed progress of two scenarios of two requests."""
    console = Console(file=io.StringIO(), force_terminal=terminal, width=300, color_system=None)
    reporter = Reporter(console, loudness)
    with reporter.live():
        for scenario in (Scenario.PURGE, Scenario.PURGE, Scenario.LISTS, Scenario.LISTS):
            client.begin(scenario)
            reporter.on_exchange(client, builder.add_exchange(scenario, Step.GET, path=path))
        reporter.show_status("judging")
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.fixture
def client(make_client: Callable[..., Client], stub_server: StubServer) -> Client:
    """A client that has sent no request."""
    assert stub_server.received == []
    return make_client(max_purges=3, max_requests=70)


def test_lines_show_scenarios(client: Client, builder: EvidenceBuilder) -> None:
    """Without a terminal there is one plain line for each scenario, with progress and purges."""
    counts = "0 of 70 requests, 0 of 3 purges"
    purge, lists = (IN_WORDS[scenario] for scenario in (Scenario.PURGE, Scenario.LISTS))
    lines = [f"collecting purge ({purge}): {counts}", f"collecting lists ({lists}): {counts}", "judging"]
    text = re.sub(", (about|less than) .* left", "", printed_progress(client, builder, Verbosity.NORMAL))
    assert text.splitlines() == lines


def test_lines_without_purges(
    make_client: Callable[..., Client], stub_server: StubServer, builder: EvidenceBuilder
) -> None:
    """A run that sends no purge counts none."""
    client = make_client(max_requests=70)
    client.settings = replace(client.settings, profiles=(Profile.OBSERVE_ONLY,))
    assert "of 70 requests" in (text := printed_progress(client, builder, Verbosity.NORMAL))
    assert not re.search(r"of \d+ purges", text)
    assert stub_server.received == []


def test_every_stage_is_in_words() -> None:
    """Each scenario has words of its own."""
    assert IN_WORDS.keys() == set(Scenario)
    assert len(set(IN_WORDS.values())) == len(Scenario)


def test_time_left_follows_from_the_work(client: Client) -> None:
    """The time that is left grows with the time that the work so far took, and ends at 0; at first there is none."""
    seconds = iter([0.0, 10.0, 20.0, 30.0])
    countdown = Countdown(client.settings, lambda: next(seconds))
    assert countdown.seconds_left(Scenario.PREFLIGHT, 1) is None
    middle = countdown.seconds_left(Scenario.GENERATED, 0)
    later = countdown.seconds_left(Scenario.CLEANUP, 0)
    assert middle is not None
    assert later is not None
    assert 0 < later < middle
    assert countdown.seconds_left(Scenario.CLEANUP, 10_000) == 0
    assert [format_left(number) for number in (0.4, 7.4)] == ["less than 1 s", "about 7 s"]
    assert [format_seconds(number) for number in (7.4, 119, 600)] == ["7 s", "119 s", "10 min"]


def test_warning_does_not_collide(capsys: pytest.CaptureFixture[str]) -> None:
    """A warning during the live line is on a line of its own: the live line is removed before and drawn after it."""
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    reporter = Reporter(console, Verbosity.NORMAL)
    with reporter.live():
        reporter.show_status("collecting")
        assert isinstance(console.file, io.StringIO)
        console.file.truncate(0)
        reporter.warn("mind the gap")
        assert "\x1b[2K" in console.file.getvalue()
    assert capsys.readouterr().err == "Warning: mind the gap\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_quiet_prints_nothing(client: Client, builder: EvidenceBuilder, *, terminal: bool) -> None:
    """--quiet prints nothing, on a terminal too."""
    assert printed_progress(client, builder, Verbosity.QUIET, terminal=terminal) == ""


def test_verbose_prints_requests(client: Client, builder: EvidenceBuilder) -> None:
    """--verbose adds a line for each request: number, role, method, path and status."""
    lines = printed_progress(client, builder, Verbosity.VERBOSE, path="/v3/[bold]x").splitlines()
    assert lines[1] == "     1 admin GET /v3/[bold]x -> 200"
    assert len(lines) == 7


def test_terminal_shows_one_line(client: Client, builder: EvidenceBuilder) -> None:
    """A terminal shows one line, which is updated, and removed at the end."""
    text = printed_progress(client, builder, Verbosity.NORMAL, terminal=True)
    assert "judging" in text
    assert "collecting" not in text.splitlines()[-1]
    assert "\x1b[2K" in text  # a line is erased


def test_numbers_fit_a_narrow_terminal(client: Client, builder: EvidenceBuilder) -> None:
    """On a terminal of 80 columns requests, purges and the time left have a line of their own, and nothing is cut."""
    console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None)
    reporter = Reporter(console, Verbosity.NORMAL)
    client.begin(Scenario.PURGE)
    with reporter.live():
        reporter.on_exchange(client, builder.add_exchange(Scenario.PURGE, Step.GET))
        reporter.warn("which draws the line again")
        assert isinstance(console.file, io.StringIO)
        text = console.file.getvalue()
    first, second, *_ = text[text.index("collecting") :].splitlines()
    assert first.startswith("collecting purge (purges, and compares events and apps)")
    assert second.strip().startswith("0 of 70 requests, 0 of 3 purges, ")
    assert "…" not in text


def test_target_text_is_escaped(client: Client, builder: EvidenceBuilder) -> None:
    """A path with control characters of the target does not control the terminal."""
    assert "\x1b" not in printed_progress(client, builder, Verbosity.VERBOSE, path="/v3/app_usage_events/\x1b[2J\x9b2J")
