"""A defect as Markdown for an issue tracker: what a maintainer needs to see it, to believe it and to fix it.

Text of the target is never interpreted as Markdown.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import PURGE_OPERATION, PURGE_PATH, is_purge
from purge_conformance.errors import BadSetting
from purge_conformance.evidence.app_descriptions import describe_apps_in, name_apps_in
from purge_conformance.evidence.curl import HOOK_VARIABLE, PROXY_USER
from purge_conformance.evidence.listing import dig
from purge_conformance.evidence.safe_text import clip, one_line
from purge_conformance.evidence.steps import Step, Tag
from purge_conformance.evidence.url_passwords import leaks_password, mask_passwords
from purge_conformance.evidence.words import pluralize
from purge_conformance.report.context import exchanges_around
from purge_conformance.report.difference import find_difference
from purge_conformance.report.grouping import compact_ids, defects_of
from purge_conformance.report.markdown import escape, fence, prose, table
from purge_conformance.report.messages import request, response
from purge_conformance.report.text import failed_results, rate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from purge_conformance.evidence.listing import Row
    from purge_conformance.evidence.records import Evidence, Exchange
    from purge_conformance.report.grouping import DefectView
    from purge_conformance.report.messages import MessageView
    from purge_conformance.report.model import Finding, Result, Run

MAX_TITLE_CHARS = 180
MAX_CELL_CHARS = 120
MAX_BODY_CHARS = 2_000
MAX_SCRIPT_CHARS = 40_000
MAX_FINDINGS = 5
MAX_SAME = 10  # other requests that show a defect
GUID_IN_PATH = re.compile(r"/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
URL_WITH_PASSWORD = re.compile(r"://[^/\s\"]*:[^/\s\"]*@")
GUID_IN_WORDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-", re.IGNORECASE)
# Of a request and of an answer: what may decide how it is treated, or lets a maintainer find it in a log.
TELLING_HEADERS = {"accept", "authorization", "content-type", "date", "server", "via", "x-vcap-request-id"}
VARIABLE = re.compile(r"\$\{?([A-Z][A-Z0-9_]*_TOKEN)\b")


def defects_with(run: Run, requirement: str) -> list[DefectView]:
    """Return the defects that a requirement fails because of, at least one.

    Raises:
        BadSetting: it did not fail in this run; the message names those that did.
    """
    if views := [view for view in defects_of(run) if any(result.id == requirement for result, _ in view.results)]:
        return views
    result = next((each for each in run.requirements if each.id == requirement), None)
    outcome = f"its outcome is: {result.outcome}" if result else "it was not selected"
    failed = compact_ids(failed_results(run))
    step = f"Give one of these, which failed: {failed}." if failed else "No requirement failed in it."
    raise BadSetting(f"{requirement} did not fail in this run, {outcome}. {step}")


def render(run: Run, evidence: Evidence, view: DefectView, requirement: str) -> str:
    """Return the report of one defect, by one of the requirements that fail because of it."""
    result, findings = next((r, findings) for r, findings in view.results if r.id == requirement)
    exchange = next((x for x in evidence.exchanges if x.n == findings[0].exchange), None)
    parts = [
        f"# {escape(title(findings[0], exchange, result, evidence))}",
        f"{prose(result.statement)} ({result.id}, {result.level})",
        *_section("Environment", _environment(run, evidence)),
        *_section("Steps to reproduce", _steps(findings[0], exchange)),
        *_section("Expected", _expected(result, findings)),
        *_section("Got", _got(evidence, view, (result, findings), exchange)),
        *_section("What happened around it", _context(findings[0], exchange, evidence.exchanges)),
        *_section("What else fails because of it", _others(view, result)),
        *_section("Where to look", iter([prose(result.requirement.remedy)])),
        _origin(run, exchange),
    ]
    return "\n\n".join(parts) + "\n"


def title(finding: Finding, exchange: Exchange | None, result: Result, evidence: Evidence) -> str:
    """Return what happens, in a line: a request and its status, or what is expected and what is there instead."""
    got = finding.got.partition(" {")[0]
    if exchange and _is_answer(finding, exchange):
        flaw = _flaw(finding, exchange) or f"expected {finding.expected}"
        sent = GUID_IN_PATH.sub("/GUID", _describe_sent(exchange))
        return _clip_words(f"{sent} is answered {response(exchange).line}, {flaw}")
    is_effect = exchange is not None and exchange.method == "GET" and result.requirement.operation == PURGE_OPERATION
    place = "After a purge" if is_effect else _operation(exchange)
    words = f"{place}: expected {finding.expected}, got {got}"
    for guid, name in name_apps_in(evidence, words, exchange.n if exchange else 0).items():
        words = words.replace(guid, name)
    if len(" ".join(words.split())) > MAX_TITLE_CHARS:  # such as a timeline, which does not begin with what is wrong
        words = f"{result.id} is violated: {result.statement.partition(': ')[0].rstrip('.')}"
    return _clip_words(words)


def _is_answer(finding: Finding, exchange: Exchange | None) -> bool:
    """Whether what is wrong is the answer itself, which the finding quotes."""
    if exchange is None or exchange.status is None:
        return False
    return finding.got.startswith(str(exchange.status)) or bool(_flaw(finding, exchange))


def _flaw(finding: Finding, exchange: Exchange) -> str:
    """Return what a finding says of an answer before it quotes it; empty if it only quotes it, or does not."""
    words, separator, _ = finding.got.partition(f": {exchange.status} ")
    return words if separator else ""


def _describe_sent(exchange: Exchange) -> str:
    body = " and a body" if exchange.request_body else ""
    credential = exchange.tags.get(Tag.CREDENTIAL, "valid")
    kind = exchange.role.replace("-", " ") if credential != "valid" else ""
    who = {"none": " without a token", "valid": ""}.get(credential, f" with a token that is {credential} ({kind})")
    return f"{_operation(exchange)}{who}{body}"


def _operation(exchange: Exchange | None) -> str:
    if exchange is None:
        return "App usage events"
    is_plain_purge = is_purge(exchange.method, exchange.path) and exchange.path == PURGE_PATH
    return "A purge" if is_plain_purge else f"{exchange.method} {exchange.path}"


def _clip_words(text: str) -> str:
    """Return at most `MAX_TITLE_CHARS` characters of a text on one line, up to the end of a word."""
    line = " ".join(text.split())
    if len(line) <= MAX_TITLE_CHARS:
        return line
    return line[:MAX_TITLE_CHARS].rpartition(" ")[0].rstrip(",;: ") + " …"


def _section(heading: str, paragraphs: Iterator[str]) -> list[str]:
    found = list(paragraphs)
    return [f"## {heading}", *found] if found else []


def _environment(run: Run, evidence: Evidence) -> Iterator[str]:
    rows = [f"Target: {escape(run.target)}", *_versions(evidence)]
    rows.append(
        f"Observed: {escape(run.started_at)}, in a run of purge-conformance {escape(run.suite_version)} with "
        f"{pluralize(run.requests, 'request')} and {pluralize(run.purges, 'purge')}"
    )
    yield "\n".join(f"- {row}" for row in rows)


def _versions(evidence: Evidence) -> Iterator[str]:
    """Yield what the target says of its own version, in the links of its root document and in a header."""
    root = next((x for x in evidence.exchanges if x.step is Step.ROOT), None)
    links = root.json.get("links") if root and isinstance(root.json, dict) else None
    for name, link in links.items() if isinstance(links, dict) else ():
        meta = link.get("meta") if isinstance(link, dict) else None
        if name == "cloud_controller_v3" and isinstance(meta, dict) and "version" in meta:
            yield f"API version: {escape(one_line(str(meta['version']), MAX_CELL_CHARS))}"
    if root and (server := root.header("Server")):
        yield f"Server: {escape(one_line(server, MAX_CELL_CHARS))}"


def _steps(finding: Finding, exchange: Exchange | None) -> Iterator[str]:
    reproduce = finding.script or finding.curl
    if not reproduce:
        return
    names = dict.fromkeys(VARIABLE.findall(reproduce))
    needs = [f"a token of the role {name.removesuffix('_TOKEN').lower()} in `${name}`" for name in names]
    needs += [f"what the run got as --hook in `${HOOK_VARIABLE}`"] if f"${HOOK_VARIABLE}" in reproduce else []
    needs += [f"the proxy's USER:PASSWORD in `${PROXY_USER}`"] if f"${PROXY_USER}" in reproduce else []
    words = "Run this script in a POSIX shell" if finding.script else "Send this request"
    yield f"{words}, with {' and '.join(needs)}:" if needs else f"{words}:"
    yield fence(clip(reproduce, MAX_SCRIPT_CHARS), "sh")
    if exchange and (state := exchange.tags.get(Tag.STATE)):
        yield f"The first command asks a hook of the suite for the state: {escape(state)}."
    if PURGE_PATH in reproduce:
        yield "A purge destroys all app usage events of the target: use a server that you may empty."
    if not finding.script and exchange and exchange.method == "GET" and exchange.succeeded:
        yield "This shows the state after the requests below; send them first."


def _expected(result: Result, findings: Sequence[Finding]) -> Iterator[str]:
    yield "\n".join(f"- {escape(words)}" for words in dict.fromkeys(f.expected for f in findings[:MAX_FINDINGS]))
    source = result.requirement.source
    name = f"[{escape(source.title)}]({source.url})" if source.url else escape(source.title)
    yield f"> {escape(result.requirement.quote)}\n>\n> {name}"


def _got(
    evidence: Evidence, view: DefectView, found: tuple[Result, Sequence[Finding]], exchange: Exchange | None
) -> Iterator[str]:
    result, findings = found
    rows = dict.fromkeys(filter(None, (_text_of(finding, exchange) for finding in findings)))
    yield from filter(None, ["\n".join(f"- {escape(row)}" for row in list(rows)[:MAX_FINDINGS])])
    sides = [one_line(text, MAX_BODY_CHARS) for text in (findings[0].expected, findings[0].got)]
    if find_difference(*sides):
        yield fence("\n".join(f"{sign} {side}" for sign, side in zip("-+", sides, strict=True)), "diff")
    if (more := len(rows) - MAX_FINDINGS) > 0:
        yield f"And {more} more of the same kind."
    words = " ".join(f"{finding.expected} {finding.got}" for finding in findings)
    if apps := describe_apps_in(evidence, words, exchange.n if exchange else 0):
        yield "\n".join(["The apps that this names:", "", *(f"- {escape(app)}" for app in apps)])
    if exchange:
        yield fence("\n\n".join([_message(request(exchange, MAX_BODY_CHARS)), _answer(exchange, words)]))
    yield from _same(view, evidence, exchange)
    if rate(result):
        yield f"{rate(result)}."
    if passed := findings[0].passing_exchange:
        yield f"The same check passed at another time: exchange {passed} of the evidence."


def _text_of(finding: Finding, exchange: Exchange | None) -> str:
    """Return what was got, without an answer that is shown below; empty if nothing is left."""
    text = _flaw(finding, exchange) if exchange and _is_answer(finding, exchange) else finding.got
    return one_line(text, MAX_BODY_CHARS)


def _same(view: DefectView, evidence: Evidence, exchange: Exchange | None) -> Iterator[str]:
    """Yield the other requests that show the same, each once."""
    others = [x for x in evidence.exchanges if x.n in view.defect.exchanges and x is not exchange]
    words = dict.fromkeys((_describe_sent(x), str(x.status or x.error)) for x in others)
    if exchange:
        words.pop((_describe_sent(exchange), str(exchange.status or exchange.error)), None)
    if words and view.defect.requests > 1:
        rows = [
            f"- {escape(one_line(sent, MAX_CELL_CHARS))}: {escape(one_line(got, MAX_CELL_CHARS))}"
            for sent, got in words
        ]
        more = [f"- and {len(rows) - MAX_SAME} more"] if len(rows) > MAX_SAME else []
        yield "\n".join(["The same defect shows in:", "", *rows[:MAX_SAME], *more])


def _answer(exchange: Exchange, words: str) -> str:
    """Return the answer; of a list only the resources that a finding names, if it names any."""
    message = response(exchange, MAX_BODY_CHARS)
    shows_password = leaks_password(exchange)
    if not exchange.page or not (shows_password or GUID_IN_WORDS.search(words)):
        return _message(message)
    named = [row for row in exchange.resources if _is_named(row, words)]
    if shows_password and not named:
        named = [row for row in exchange.resources if URL_WITH_PASSWORD.search(json.dumps(row))]
    body = json.dumps(named[:MAX_FINDINGS], indent=2, ensure_ascii=False) if named else ""
    size = pluralize(len(exchange.resources), "resource")
    about = f"{len(named) or 'none'} of {size} on this page: those that the finding is about"
    return _message(replace(message, body=clip(mask_passwords(body), MAX_BODY_CHARS * 2), about=about))


def _is_named(row: Row, words: str) -> bool:
    return str(row.get("guid")) in words or str(dig(row, "app", "guid")) in words


def _message(message: MessageView) -> str:
    headers = [f"{name}: {value}" for name, value in message.headers if name.lower() in TELLING_HEADERS]
    size = [f"({message.about})"] if message.about and message.about != "no body" else []
    return "\n".join([message.line, *headers, *size, *([message.body] if message.body else [])])


def _context(finding: Finding, exchange: Exchange | None, exchanges: Sequence[Exchange]) -> Iterator[str]:
    """Yield a picture and the exchanges around one, unless it shows by itself what is wrong."""
    if finding.picture:
        yield fence("\n".join(finding.picture))
    if exchange is None or (_is_answer(finding, exchange) and Tag.CONCURRENT not in exchange.tags):
        return
    rows = [["Exchange", "Sent at", "For", "Request", "Answer"], ["--:", "--:", "---", "---", "---"]]
    for x in exchanges_around(exchange, exchanges):
        number = f"**{x.n}**" if x is exchange else str(x.n)
        after = f"{1000 * (x.sent_at - exchange.sent_at):+,.0f} ms"
        rows_of = f" with {pluralize(len(x.resources), 'row')}" if x.page else ""
        answer = f"{x.status or 'none'}{rows_of} after {1000 * x.elapsed:,.0f} ms"
        words = f"{x.method} {x.path} as {x.role}"
        cells = (one_line(text, MAX_CELL_CHARS) for text in (after, str(x.place), words, answer))
        rows.append([number, *map(escape, cells)])
    yield table(rows)


def _others(view: DefectView, result: Result) -> Iterator[str]:
    rows = [
        f"- {other.id} ({other.level}): {prose(other.statement)} Expected: {escape(one_line(found[0].expected))}."
        for other, found in view.results
        if other.id != result.id
    ]
    if rows:
        yield "\n".join(rows)


def _origin(run: Run, exchange: Exchange | None) -> str:
    number = f", exchange {exchange.n} of its evidence" if exchange else ""
    return f"Found by purge-conformance {escape(run.suite_version)}, specification {escape(run.spec_version)}{number}."
