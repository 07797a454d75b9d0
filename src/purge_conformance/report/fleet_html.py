"""fleet.html: the targets of a fleet, and a matrix of requirements and targets, as one self-contained page."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from purge_conformance.report.fleet import GROUPS, headline
from purge_conformance.report.grouping import spans_of
from purge_conformance.report.html import FILE_NAME as REPORT_PAGE
from purge_conformance.report.html import MARKS, VERDICT_MARKS
from purge_conformance.report.page import environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    import jinja2

    from purge_conformance.report.fleet import Fleet

FILE_NAME = "fleet.html"


def render(fleet: Fleet, log: str) -> str:
    """Return the page, which is beside the folders of the targets.

    Args:
        fleet: the runs.
        log: name of the file in each folder that has what the run printed, for a target without a report.
    """
    return _template().render(
        fleet=fleet,
        headline=headline(fleet),
        group=GROUPS[fleet.exit_code],
        notable=fleet.notable,
        requirements=fleet.requirements,
        seconds=(fleet.finished_at - fleet.started_at).total_seconds(),
        log=log,
    )


def _spans(ids: Sequence[str]) -> str:
    return ", ".join(spans_of(ids))


@cache  # compiling takes longer than rendering
def _template() -> jinja2.Template:
    page = environment(spans=_spans)
    page.globals |= {"MARKS": MARKS, "VERDICT_MARKS": VERDICT_MARKS, "REPORT_PAGE": REPORT_PAGE}
    return page.get_template("fleet.html.j2")
