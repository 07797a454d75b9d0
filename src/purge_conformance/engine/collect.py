"""Runs the experiments in their order, and leaves a journal of all that was seen."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING

from purge_conformance import __version__, catalogue
from purge_conformance.client.auth.jwt import scopes
from purge_conformance.client.client import Client
from purge_conformance.client.guard import Guard
from purge_conformance.config.roles import ADMIN, ADMIN_SCOPE
from purge_conformance.errors import (
    ArchiveFailed,
    Interrupted,
    RequestBlocked,
    SuiteError,
    TargetUnreachable,
    TargetUnusable,
)
from purge_conformance.evidence import clock
from purge_conformance.evidence.journal import Journal
from purge_conformance.evidence.listing import read_listing
from purge_conformance.evidence.records import CHANGED_BY_HOOK, Header, repetition_name
from purge_conformance.scenarios import (
    app_changes as changing,
)
from purge_conformance.scenarios import (
    auth_bypass as bypassing,
)
from purge_conformance.scenarios import (
    authorization as access,
)
from purge_conformance.scenarios import (
    generated as fuzzing,
)
from purge_conformance.scenarios import (
    induced_errors as provoking,
)
from purge_conformance.scenarios import (
    listing as reading,
)
from purge_conformance.scenarios import (
    purge as purging,
)
from purge_conformance.scenarios import (
    repeated as repeating,
)
from purge_conformance.scenarios import (
    setup as opening,
)
from purge_conformance.scenarios import (
    teardown as closing,
)
from purge_conformance.scenarios.concurrent_purges import purge_concurrently
from purge_conformance.scenarios.generated import schemathesis as contract
from purge_conformance.scenarios.race import race_purges_with_changes
from purge_conformance.scenarios.sequences.player import play_sequences
from purge_conformance.target import archive
from purge_conformance.target.apps import suite_apps_for
from purge_conformance.target.fingerprint import require_fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Evidence, Exchange
    from purge_conformance.target.apps import SuiteApps

    Procedure = Callable[[Client, SuiteApps], None]
    Plan = Iterable[tuple[str, Procedure]]

EXPERIMENTS: tuple[tuple[str, Procedure], ...] = (
    ("reach", opening.preflight),
    ("foundation", opening.create_apps),
    ("fill", opening.fill_page),
    ("archive", opening.read_all_events),
    ("purge", purging.first_purge),
    ("again", purging.second_purge),
    ("lifecycle", changing.change_apps),
    ("reads", access.read_as_everyone),
    ("refused", access.send_rejected_purges),
    ("bypass", bypassing.try_bypasses),
    ("lists", reading.read_lists),
    ("changed", purging.purge_after_changes),
)
READ_ONLY = {"reach", "reads", "lists", "contract"}  # what takes no request that could change anything


def collect(  # noqa: PLR0913 -- who listens, and what the selfcheck and an interrupt bring along
    settings: Settings,
    folder: Path,
    on_send: Callable[[Client, Exchange], None],
    generator: contract.Generator | None = None,
    guard: Guard | None = None,
    *,
    warn: Callable[[str], None] = lambda _: None,
) -> Evidence:
    """Run every experiment and return what they saw; `folder` then holds it too.

    An experiment that is held back, and a target that is lost, are noted; what was collected by then stays.

    Args:
        settings: what is asked for.
        folder: of the run, a new one.
        on_send: is told of every exchange.
        generator: makes the generated cases; None: one that is made for this run.
        guard: that somebody else may close; None: one that is made for this run.
        warn: is told, before the first purge, what may be lost by it, or why there will be none.

    Raises:
        BadSetting: the folder cannot hold a new run.
        ConsentMissing: the target is not the one whose fingerprint was pinned.
        TargetLost: it gives no answer to the question for it.
        SuiteError: the journal could not be written to its end; the run's apps were deleted.
    """
    require_fingerprint(settings)
    with Journal(folder, _header(settings)) as journal, ExitStack() as children:

        @cache
        def start_generator() -> contract.Generator:
            """Start the child processes that generate the cases, unless the caller has them already."""
            if generator:
                return generator
            return children.enter_context(contract.generator(seed=settings.seed, examples=settings.examples))

        client = Client(settings, journal, guard or Guard.from_settings(settings), on_send)
        foundation = suite_apps_for(client)
        try:
            hooks: dict[str, Callable[[], object]] = {
                "reach": start_generator,
                "archive": lambda: _archive(client, journal, folder, warn),
            }
            _run_all(client, foundation, _plan(settings, start_generator), hooks)
        finally:
            journal.sync()
        if journal.error:
            raise SuiteError(
                f"{journal.error} The apps that this run created were deleted, except those that are listed above."
            )
        return journal.evidence()


def experiment_names(settings: Settings) -> tuple[str, ...]:
    """Return the names of the experiments of a run, in their order."""
    unused = contract.Generator(cases=tuple, walk=lambda *_: None)
    return *(name for name, _ in _plan(settings, lambda: unused)), *(() if settings.is_read_only else ("demolish",))


def _plan(settings: Settings, start_generator: Callable[[], contract.Generator]) -> Plan:
    induced = [("provoked", provoking.induce_errors)] if settings.hook else []
    unexpected_input, *rest = (
        ("odd", purging.purge_with_unexpected_input),
        *induced,
        ("parallel", purge_concurrently),
        ("race", race_purges_with_changes),
    )
    steps: Plan = (
        *EXPERIMENTS,
        (
            "contract",
            lambda client, foundation: fuzzing.send_generated_cases(client, foundation, start_generator().cases),
        ),
        ("stateful", lambda client, foundation: fuzzing.follow_links(client, foundation, start_generator().walk)),
        *([("repeat", repeating.repeat_purges)] if settings.repeat > 1 else []),
        unexpected_input,
        ("late", changing.change_apps_after_purges),
        *rest,
        *(
            (repetition_name(name, number), tried)
            for number in range(2, settings.repeat + 1)
            for name, tried in (unexpected_input, *rest)
        ),
        ("standstill", purging.purge_without_started_apps),
        ("sequences", play_sequences),  # the last: for shorter ones it takes what is left of the budgets
    )
    return [step for step in steps if step[0] in READ_ONLY or not settings.is_read_only]


def _run_all(client: Client, foundation: SuiteApps, plan: Plan, after: Mapping[str, Callable[[], object]]) -> None:
    """Run the experiments in their order; `after` maps the name of one to what is done when it has ended."""
    try:
        for name, procedure in plan:
            client.experiment = name
            _run_experiment(client, foundation, procedure)
            if name in after:
                after[name]()
    except TargetUnusable as reason:
        client.note("unusable", {"blame": reason.cause, "reason": str(reason)})
    except TargetUnreachable as reason:
        client.note("lost", str(reason))
    except Interrupted as reason:
        client.note("interrupted", str(reason))
    finally:
        _clean_up(client, foundation)


def _run_experiment(client: Client, foundation: SuiteApps, procedure: Procedure) -> None:
    """Run one experiment; one that is held back, or that fails by a defect of ours, does not stop the others."""
    try:
        procedure(client, foundation)
    except RequestBlocked as reason:
        client.note_cut_short(reason)
    except (TargetUnusable, TargetUnreachable, Interrupted):
        raise
    except Exception as error:  # noqa: BLE001 -- whatever it is, it costs this item alone
        client.note("crashed", f"{type(error).__name__}: {error}")


def _clean_up(client: Client, foundation: SuiteApps) -> None:
    """Take down what was put up, whatever happened before."""
    client.experiment = "demolish"
    client.guard.release_cleanup_reserve()
    try:
        closing.delete_apps(client, foundation)
    except (RequestBlocked, TargetUnreachable) as reason:
        client.note("left", [str(reason)])
    client.note("finished", value=True)


def _archive(client: Client, journal: Journal, folder: Path, warn: Callable[[str], None]) -> None:
    """Write the events that exist to a file of their own, and only then let purges pass.

    A target on this machine may be purged even if its list cannot be read to the end: it is there to be judged.
    """
    evidence = journal.evidence()
    events = read_listing(evidence, "archive", "events")
    changes = (x for x in evidence.exchanges if x.method != "GET" or CHANGED_BY_HOOK in x.tags)
    own_apps = {x.route.split("/")[3] for x in changes if x.route.startswith("/v3/apps/")}
    try:
        summary = archive.write(
            folder / archive.FILE_NAME,
            client.settings.target.url,
            events.exchanges,
            lambda: events.complete,
            own_apps=own_apps,
            allow_incomplete=True,
        )
    except ArchiveFailed as reason:
        client.note("stopped", str(reason))
        client.guard.archive_error = str(reason)
    else:
        client.note("archived", asdict(summary))
        client.guard.is_archived = summary.complete or client.settings.target.is_loopback
        client.guard.archive_error = "" if summary.complete else archive.incomplete_message(summary)
        if any(archive.recency_warning(summary.age)):
            warn(" ".join(archive.describe(asdict(summary))))
    if not client.guard.is_archived:
        warn(f"Nothing will be purged. {client.guard.archive_error}")


def _header(settings: Settings) -> Header:
    return Header(
        suite=__version__,
        digests=catalogue.digests(),
        target=settings.target.url,
        settings={
            "profiles": [str(profile) for profile in settings.profiles],
            "select": list(settings.select),
            "roles": sorted(settings.tokens),
            "admin_scope": ADMIN_SCOPE in (scopes(settings.tokens[ADMIN]) or ()),
            "examples": settings.examples,
            "seed": settings.seed,
            "repeat": settings.repeat,
            "apps": str(settings.apps.mode),
            "space": settings.apps.space,
            "transport": settings.transport.describe(settings.target.url),
            "hook": settings.hook.kind if settings.hook else None,
            "timeout": settings.limits.timeout,
            "max_purges": settings.limits.max_purges,
            "max_requests": settings.limits.max_requests,
        },
        started_at=clock.format_rfc3339(time.time()),
    )
