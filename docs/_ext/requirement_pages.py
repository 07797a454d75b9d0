"""Writes one page per requirement, and the table of all, into docs/requirements/ before the documentation is built.

The pages are not committed: `spec/requirements.yaml` is the only place that knows a requirement.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import requirement_facts as facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

    from requirement_facts import Row

FOLDER = "requirements"
LEVELS = {
    "MUST": "If it fails, the verdict is non-conformant.",
    "SHOULD": "It is reported, and does not decide the verdict.",
    "MAY": "It is reported, and does not decide the verdict.",
}
PROFILES = {
    "core": "`core`: the endpoint's documentation page, and what follows from it and from HTTP.",
    "upstream": "`upstream`: what Cloud Foundry's API documents beyond that page.",
}
SPECIAL = str.maketrans({character: f"\\{character}" for character in "\\*_[]<>{}$|#"})


def page(row: Row) -> str:
    """Return the page of one requirement."""
    return "\n".join(_lines(row)) + "\n"


def index(rows: list[Row]) -> str:
    """Return the page with the table of all requirements, by group."""
    head = f"""# Requirements

The suite knows {len(rows)} requirements. Each has an id that never changes its meaning, and a page of its own.
The data is in [`spec/requirements.yaml`](../../spec/requirements.yaml);
`purge-conformance list` prints it.
"""
    tables = "\n".join(_table(group, rows) for group in dict.fromkeys(row["group"] for row in rows))
    entries = "\n".join(row["id"] for row in rows)
    return f"{head}\n{tables}\n```{{toctree}}\n:hidden:\n\n{entries}\n```\n"


def write(app: Sphinx) -> None:
    """Write all pages; a page that already says the same is left alone, so that Sphinx does not read it again."""
    folder = Path(app.srcdir) / FOLDER
    folder.mkdir(exist_ok=True)
    rows = facts.requirements()
    pages = {f"{row['id']}.md": page(row) for row in rows} | {"index.md": index(rows)}
    for old in folder.iterdir():
        if old.name not in pages:
            old.unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Write the pages before Sphinx looks which pages exist."""
    app.connect("builder-inited", write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _lines(row: Row) -> Iterator[str]:
    title, url = facts.source_of(row)
    name = row["id"]
    yield from (f"# {name}", "", plain(row["statement"]), "")
    yield from (f"> {plain(row['quote'])}", ">", f"> — {f'[{plain(title)}]({url})' if url else plain(title)}", "")
    yield from _facts(row)
    yield from _section("How it is judged", [plain(row["shown_by"]), *_judgment(row)])
    yield from _section("Cases", _cases(row.get("cases", ())))
    yield from _section("What it depends on", _dependencies(row))
    yield from _section("If it fails", [plain(row["remedy"])])
    yield from _section("Faults that break it", _faults(row))
    yield from _section("Legal variants", _variants(row))


def _facts(row: Row) -> Iterator[str]:
    yield from ("| | |", "| --- | --- |")
    yield f"| Level | {row['level']}. {LEVELS[row['level']]} |"
    yield f"| Profile | {PROFILES[row['profile']]} |"
    operation = row["operation"]
    yield f"| Operation | {'any' if operation == 'any' else f'`{operation}` in `spec/openapi.yaml`'} |"
    if row.get("since"):
        yield f"| Since | requirement set {row['since']} |"
    if row.get("observed"):
        yield "| Without a purge | Reads are enough: `--profile observe-only` judges it as well. |"
    if row.get("conditional"):
        yield f"| Conditional | {cell(row['conditional'])} |"
    if row.get("not_judged"):
        yield f"| Not judged | {cell(row['not_judged'])} |"
    yield ""


def _judgment(row: Row) -> Iterator[str]:
    judgment = facts.judgments().get(row["id"])
    if judgment:
        yield f"Judgment: `{judgment.test}` in [`{judgment.file}`](../../{judgment.file}). {plain(judgment.claim)}"
    if scenarios := row.get("scenarios", ()):
        names = "all" if "any" in scenarios else ", ".join(f"`{each}`" for each in scenarios)
        yield f"Scenarios: {names}."


def _cases(cases: Iterable[Any]) -> Iterator[str]:
    listed = [f"- `{case['id']}`: {plain(case['text'])}{_condition(case)}" for case in cases]
    if listed:
        yield "\n".join(listed)


def _condition(case: Row) -> str:
    condition = case.get("conditional")
    if not condition:
        return ""
    return " (conditional)" if condition is True else f" (conditional: {plain(str(condition))})"


def _dependencies(row: Row) -> Iterator[str]:
    if rests_on := row.get("rests_on"):
        yield f"A failure of it is inconclusive if one of these fails as well: {_links(rests_on)}."
    for names, cases in _by_dependencies(row.get("cases", ())).items():
        yield f"A failure of {_codes(cases)} is inconclusive if one of these fails as well: {_links(names)}."
    if assumes := row.get("assumes"):
        yield f"The judgment checks in its own evidence that these hold: {_links(assumes)}."
    if disturbed_by := row.get("disturbed_by"):
        yield f"A failure of it is inconclusive if this disturbs the run: {_codes(disturbed_by)}."
    if dependents := facts.resting_on(row["id"]):
        yield f"If it fails, a failure of these is inconclusive: {_links(dependents)}."


def _links(names: Iterable[str]) -> str:
    return ", ".join(map(link, names))


def _codes(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _by_dependencies(cases: Iterable[Row]) -> dict[tuple[str, ...], list[str]]:
    """Return what cases rest on besides their requirement -> the ids of the cases that rest on it."""
    found: dict[tuple[str, ...], list[str]] = {}
    for case in cases:
        if rests_on := tuple(case.get("rests_on", ())):
            found.setdefault(rests_on, []).append(case["id"])
    return found


def _faults(row: Row) -> Iterator[str]:
    found = facts.faults_of(row["id"])
    if found:
        yield (
            "Each is a way to make the reference server wrong, and `purge-conformance selfcheck` shows that the suite "
            "fails this requirement because of it. To try one: `purge-conformance serve --fault NAME`."
        )
        yield "\n".join(_fault(row["id"], fault) for fault in found)
    if row.get("not_alone"):
        yield f"No fault breaks this requirement alone: {plain(row['not_alone'])}"


def _fault(name: str, fault: Row) -> str:
    others = [link(each) for each in fault["requirements"] if each != name]
    also = f" It also breaks {', '.join(others)}." if others else ""
    return f"- `{fault['id']}`: {plain(fault['summary'])}{also}"


def _variants(row: Row) -> Iterator[str]:
    kinds = {
        "The same words allow these differences; none of them is a failure:": facts.allowed_by_quote(row),
        "These differ from it, and are legal because it is not a MUST:": facts.variants_naming(
            row["id"], "violates_should"
        ),
        "With these it cannot be judged:": facts.variants_naming(row["id"], "not_judged"),
    }
    for words, found in kinds.items():
        if found:
            yield words
            yield "\n".join(f"- `{variant['id']}`: {plain(variant['summary'])}" for variant in found)


def _section(title: str, paragraphs: Iterable[str]) -> Iterator[str]:
    found = list(paragraphs)
    if found:
        yield from (f"## {title}", "")
        for paragraph in found:
            yield from (paragraph, "")


def _table(group: str, rows: list[Row]) -> str:
    lines = [f"## {group}", "", "| Id | Level | Statement |", "| --- | --- | --- |"]
    lines += [f"| {link(r['id'])} | {r['level']} | {cell(r['statement'])} |" for r in rows if r["group"] == group]
    return "\n".join(lines) + "\n"


def link(name: str) -> str:
    """Return a link to the page of a requirement, from another page of the same folder."""
    return f"[{name}]({name}.md)"


def plain(text: str) -> str:
    """Return a text of `spec/` for Markdown: what stands in backticks stays as it is, all else means itself."""
    parts = " ".join(text.split()).split("`")
    if len(parts) % 2 == 0:
        return text.translate(SPECIAL)
    return "`".join(part if number % 2 else part.translate(SPECIAL) for number, part in enumerate(parts))


def cell(text: str) -> str:
    """Return a text of `spec/` for a cell of a table."""
    return plain(text).replace("\\|", "|").replace("|", "\\|")
