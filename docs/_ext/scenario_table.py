"""The directive `scenario-table`: every scenario of the suite, in the order of a run, from its definition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from purge_conformance.scenarios.definitions import SCENARIOS, Repetition

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

    from purge_conformance.scenarios.definitions import ScenarioDefinition

HEAD = ("Scenario", "Requests", "Purges", "Requirements", "When it runs")
REPETITIONS = {
    Repetition.ROUNDS: "N times with `--repeat N`",
    Repetition.INSIDE: "once, and repeats its purges with `--repeat N`",
    Repetition.FURTHER: "only with `--repeat N`",
}


class ScenarioTable(SphinxDirective):
    """Show a table: name, what it sends at most, how many requirements its evidence serves, and when it runs."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in HEAD), cols=len(HEAD))
        group += nodes.thead("", _row(HEAD))
        group += nodes.tbody("", *(_row(cells(definition)) for definition in SCENARIOS))
        return [nodes.table("", group)]


def cells(definition: ScenarioDefinition) -> tuple[str, ...]:
    """Return the texts of the row of a scenario; backticks mark code."""
    cost = definition.cost
    occasions = [
        "with `--profile observe-only` as well" if definition.reads_only else "",
        "only with `--hook`" if definition.needs_hook else "",
        REPETITIONS.get(definition.repetition, ""),
        "in every selection" if definition.is_base else "",
        "last, also after an interrupt" if definition.is_last else "",
    ]
    when = "; ".join(filter(None, occasions)) or "always"
    return (f"`{definition.name}`", str(cost.requests), str(cost.purges), str(len(definition.requirements)), when)


def _row(texts: Iterable[str]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", _paragraph(text)) for text in texts))


def _paragraph(text: str) -> nodes.paragraph:
    paragraph = nodes.paragraph()
    for number, part in enumerate(text.split("`")):
        paragraph += nodes.literal(text=part) if number % 2 else nodes.Text(part)
    return paragraph


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive("scenario-table", ScenarioTable)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
