"""What others record during a run is in the archive before the next purge."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.archive import ROWS, archive_metadata, archived_events
from meta.support.story import EvidenceBuilder
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.errors import ArchiveFailed
from purge_conformance.evidence.steps import YES, Scenario, Step, Tag
from purge_conformance.target import archive
from purge_conformance.target.archive import growing as growing_module
from purge_conformance.target.archive.list_check import Extent, Reading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Row = dict[str, Any]
NEWEST = f"{EVENTS_PATH}?order_by=-created_at&per_page=20"
THEIRS = {"guid": "theirs-1", "created_at": "2026-07-01T12:00:00Z", "app": {"guid": "their-app"}}
OWN = {"guid": "own-1", "created_at": "2026-07-01T12:00:00Z", "app": {"guid": "own-app"}}


class Run:
    """A run that has archived `ROWS`, and what its archive observes."""

    def __init__(self, folder: Path, max_events: int = 100) -> None:
        """Archive the rows."""
        self.builder = EvidenceBuilder()
        self.path = folder / archive.FILE_NAME
        self.growing = archive.GrowingArchive(self.path, max_events)
        pages = [self.page(ROWS)]
        summary = archive.write(self.path, "http://t", pages, lambda: Reading(Extent.WHOLE))
        self.growing.start(summary, pages)
        self.growing.observe(self.page(ROWS))

    def page(
        self, rows: Sequence[object], path: str = EVENTS_PATH, following: object = None, total: object = None
    ) -> Any:  # noqa: ANN401 -- an exchange or, in a broken story, anything
        """Return the exchange that lists these rows."""
        data = {"pagination": {"next": following, "total_results": total}, "resources": rows}
        return self.builder.add_exchange(Scenario.PURGE, Step.PURGE, path=path, data=data)

    def see(self, *rows: object, path: str = EVENTS_PATH, following: object = None, total: object = None) -> None:
        """Let the archive observe a page with these rows."""
        self.growing.observe(self.page(rows, path, following, total))

    def change(self, path: str, method: str = "POST", status: int = 200, **more: Any) -> None:  # noqa: ANN401
        """Let the archive observe a request that changes something."""
        self.growing.observe(
            self.builder.add_exchange(
                Scenario.PURGE, Step.PURGE, method=method, path=path, status=status, **({"data": {}} | more)
            )
        )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run that has archived `ROWS`."""
    return Run(tmp_path)


def test_events_of_others_are_added(run: Run) -> None:
    """An event of others that the list shows is added once, in both files, which stay whole and private."""
    run.change("/v3/apps", status=201, data={"guid": "own-app"})
    run.see(ROWS[0], THEIRS, OWN)
    assert run.growing.add_new() == 1
    run.see(THEIRS, {**THEIRS, "guid": "theirs-2"}, 7)
    assert run.growing.add_new() == 1
    assert archived_events(run.path) == [*ROWS, THEIRS, {**THEIRS, "guid": "theirs-2"}]
    metadata = archive_metadata(run.path)
    assert (metadata["events"], metadata["added"], metadata["complete"]) == (47, 2, True)
    assert archive.verify(run.path).problems == ()
    assert {each.stat().st_mode & 0o777 for each in run.path.parent.iterdir()} == {0o600}
    assert len(list(run.path.parent.iterdir())) == 2


@pytest.mark.parametrize("path", ["/v3/apps/own-app/actions/start", "/v3/apps/own-app"])
@pytest.mark.parametrize("tags", [{}, {Tag.CHANGED_BY_HOOK: YES}])
def test_own_apps_are_known_by_their_changes(path: str, tags: dict[Tag, str], run: Run) -> None:
    """What the run, or its hook, changes is the suite's own app; its events are not added."""
    run.see(OWN)
    run.change(path, "GET" if tags else "DELETE", tags=tags)
    assert run.growing.add_new() == 0


def test_nothing_new_writes_nothing(run: Run) -> None:
    """Without a new event no file is touched."""
    before = [(each, each.stat().st_ino, each.stat().st_mtime_ns) for each in sorted(run.path.parent.iterdir())]
    run.see(*ROWS)
    assert run.growing.add_new() == 0
    assert before == [(each, each.stat().st_ino, each.stat().st_mtime_ns) for each in sorted(run.path.parent.iterdir())]


def test_reused_guid_is_another_event(run: Run) -> None:
    """An event that reuses a guid at another time is added."""
    run.see({**ROWS[0], "created_at": "2026-07-02T00:00:00Z"})
    assert run.growing.add_new() == 1


def test_event_without_guid_is_added(run: Run) -> None:
    """An event whose guid is no string is added as well."""
    run.see({"guid": 7, "app": []})
    assert (run.growing.add_new(), archived_events(run.path)[-1]) == (1, {"guid": 7, "app": []})


def test_killed_between_both_files(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the run is killed before the summary is replaced, the archive is whole and has one event more."""

    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(growing_module, "write_text", kill)
    run.see(THEIRS)
    with pytest.raises(KeyboardInterrupt):
        run.growing.add_new()
    found = archive.verify(run.path)
    assert (found.events, found.added_late, found.problems) == (46, 1, ())


def test_damaged_archive_gets_no_event(run: Run) -> None:
    """If the archive was changed or deleted meanwhile, nothing is added, and the reason is named."""
    run.see(THEIRS)
    run.path.write_bytes(run.path.read_bytes()[:-9])
    with pytest.raises(ArchiveFailed, match="does not read back as written"):
        run.growing.add_new()
    run.path.unlink()
    with pytest.raises(ArchiveFailed, match="No such file"):
        run.growing.add_new()


def test_additions_are_bounded(tmp_path: Path) -> None:
    """At most --max-events events are added before one purge."""
    run = Run(tmp_path, max_events=2)
    run.see(*({**THEIRS, "guid": f"theirs-{n}"} for n in range(2)))
    assert run.growing.add_new() == 2
    run.see(*({**THEIRS, "guid": f"later-{n}"} for n in range(3)))
    with pytest.raises(ArchiveFailed, match=r"3 events appeared since the last purge.*--max-events allows 2 of them"):
        run.growing.add_new()
    assert archive_metadata(run.path)["events"] == 47


def test_nothing_is_added_before_the_archive(tmp_path: Path) -> None:
    """Before the archive is written there is nothing to add to."""
    growing = archive.GrowingArchive(tmp_path / archive.FILE_NAME, 100)
    growing.observe(EvidenceBuilder().add_exchange(Scenario.ARCHIVE, Step.ROOT, data={"resources": [THEIRS]}))
    assert (growing.add_new(), list(tmp_path.iterdir())) == (0, [])


@pytest.mark.parametrize(("status", "needs_look"), [(200, True), (202, True), (500, True), (401, False), (404, False)])
def test_look_is_needed_after_a_purge(status: int, run: Run, *, needs_look: bool) -> None:
    """After a purge that may have succeeded, the next one needs a look at the newest events."""
    assert not run.growing.needs_look
    run.change(f"{EVENTS_PATH}/actions/destructively_purge_all_and_reseed", status=status)
    assert run.growing.needs_look is needs_look
    run.see(THEIRS, path=NEWEST, following={"href": "x"})
    assert not run.growing.needs_look


def test_look_grows_old(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that is older than ten seconds is not enough."""
    later = time.monotonic() + 10
    monkeypatch.setattr(growing_module, "monotonic", lambda: later)
    assert run.growing.needs_look


def test_page_may_lack_events(run: Run) -> None:
    """A page does not do if the list has more events than its pages have shown since the last purge."""
    more: dict[str, Any] = {"path": NEWEST, "following": {"href": "x"}}
    run.see(ROWS[44], THEIRS, **more, total=len(ROWS) + 1)
    assert not run.growing.may_lack_events
    run.see(ROWS[44], **more, total=len(ROWS) + 2)
    assert run.growing.may_lack_events
    run.see(*ROWS, path=f"{EVENTS_PATH}?per_page=5000&page=1", total=len(ROWS))
    assert not run.growing.may_lack_events
    run.see(ROWS[44], **more)
    assert run.growing.may_lack_events
    run.change(f"{EVENTS_PATH}/actions/destructively_purge_all_and_reseed")
    run.see(THEIRS, **more, total=2)
    assert run.growing.may_lack_events
    run.see(OWN, path=f"{EVENTS_PATH}?page=2")
    run.see(THEIRS, **more, total=2)
    assert not run.growing.may_lack_events
