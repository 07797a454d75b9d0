"""Purges with the headers that clients, browsers, proxies and tracers send, in a few sets of many headers.

A set that the target refuses is sent again without the headers that explain a refusal, and one that seems to break the
purge is sent once more: what happens only once has another cause.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

from purge_conformance.evidence.listing import app_of_event, event_identity, resources
from purge_conformance.evidence.steps import Part, Phase, Place, Tag
from purge_conformance.evidence.tag_values import HeaderSet
from purge_conformance.scenarios.budget import has_generated_purges, note_left_out
from purge_conformance.scenarios.observed_purge import purge_between_snapshots

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from purge_conformance.client.client import Client, Request
    from purge_conformance.evidence.listing import Row
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.target.apps import SuiteApps

    Headers = Mapping[str, str | None]

MANY = 20  # fields that no server knows
LONG_VALUE = "purge-conformance " * 125  # 2,250 characters: two of them and the rest fit into 8,000
BEYOND_ASCII = "caf\u00e9 \u00fc".encode().decode("latin-1")  # as UTF-8, which a header field takes as opaque bytes
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PORTS = {"http": 80, "https": 443}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


def negotiation(_: str) -> Headers:
    """Return headers for content negotiation that all allow JSON, and those that change nothing for a purge."""
    return {
        "Accept": "text/html, application/xhtml+xml;q=0.9, application/*;q=0.2, application/json;q=0.1, */*;q=0.05",
        "User-Agent": "curl/8.14.1",
        "Connection": "close",
        "Max-Forwards": "10",
        "Accept-Language": "fr-CH, fr;q=0.9, en;q=0.8, *;q=0.5",
        "Accept-Charset": "iso-8859-5, utf-8;q=0.7, *;q=0.1",
        "Accept-Encoding": "gzip;q=0.9, deflate;q=0.5, identity;q=0.3, br;q=0",
        "If-Modified-Since": "Wed, 01 Jul 2026 12:00:00 GMT",
        "Range": "bytes=0-0",
    }


def clients(url: str) -> Headers:
    """Return no Accept, and what a browser, proxies and tracers add; hosts and schemes are the target's own."""
    scheme, host = urlsplit(url)[:2]
    return {
        "Accept": None,
        "User-Agent": BROWSER,
        "Origin": f"{scheme}://{host}",
        "Referer": f"{scheme}://{host}/",
        "Sec-Fetch-Site": "same-origin",
        "Sec-Fetch-Mode": "cors",
        "Sec-Fetch-Dest": "empty",
        "Cookie": "theme=dark; lang=fr",
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
        "DNT": "1",
        "Priority": "u=1, i",
        "X-Requested-With": "XMLHttpRequest",
        "X-Forwarded-For": "203.0.113.7, 198.51.100.2",
        "X-Forwarded-Host": host,
        "X-Forwarded-Proto": scheme,
        "X-Forwarded-Port": str(urlsplit(url).port or PORTS[scheme]),
        "X-Forwarded-Ssl": "on" if scheme == "https" else "off",
        "CF-Ray": "8f2c4b7a1d3e5f60-FRA",
        "X-Amzn-Trace-Id": f"Root=1-{TRACE[:8]}-{TRACE[8:]}",
        "X-Real-IP": "203.0.113.7",
        "Forwarded": f'for=203.0.113.7;host="{host}";proto={scheme}, for="[2001:db8::7]"',
        "Via": "1.1 proxy.example.org, 2 edge (purge-conformance)",
        "X-Request-ID": str(uuid4()),
        "X-Vcap-Request-Id": str(uuid4()),
        "X-Correlation-ID": str(uuid4()),
        "X-Request-Start": "1782907200000",
        "traceparent": f"00-{TRACE}-{SPAN}-01",
        "tracestate": f"vendor={SPAN},other=1",
        "b3": f"{TRACE}-{SPAN}-1",
        "X-B3-TraceId": TRACE,
        "X-B3-SpanId": SPAN,
        "X-B3-Sampled": "1",
        "baggage": "userId=alice,isProduction=false",
    }


def conditions(_: str) -> Headers:
    """Return what a client adds to a request that is to take effect once, or only if it still fits."""
    return {
        "Content-Type": "application/json",
        "If-None-Match": '"purge-conformance"',
        "If-Unmodified-Since": "Fri, 01 Jan 2100 00:00:00 GMT",
        "Prefer": "return=representation, wait=10",
        "Idempotency-Key": f'"{uuid4()}"',
        "TE": "trailers",
        "X-No-Value": "",
    }


def refusable(url: str) -> Headers:
    """Return headers that HTTP lets a server refuse: no form of the answer is accepted, no condition can be met."""
    return {
        **conditions(url),
        "User-Agent": "cf/8.14.1 (go1.24.4; amd64 linux)",
        "Accept": "text/html, application/json;q=0",
        "Accept-Encoding": "gzip, identity;q=0",
        "If-Match": '"purge-conformance"',
        "Expect": "purge-conformance",
    }


def long_values(url: str) -> Headers:
    """Return the headers of clients together with long values, many fields, and bytes beyond ASCII."""
    return {
        **clients(url),
        **{f"X-Purge-Conformance-{number}": str(number) for number in range(MANY)},
        "X-Long": LONG_VALUE.strip(),
        "Cookie": f"theme=dark; preferences={LONG_VALUE.strip().replace(' ', '-')}",
        "X-Beyond-Ascii": BEYOND_ASCII,
        "User-Agent": f"{BROWSER} ({BEYOND_ASCII})",
    }


def everything(url: str) -> Headers:
    """Return the headers of all sets that leave a server no reason to refuse the purge, but that they are many."""
    return {**long_values(url), **conditions(url), **negotiation(url)}


SETS: Mapping[HeaderSet, Callable[[str], Headers]] = {
    HeaderSet.NEGOTIATION: negotiation,
    HeaderSet.CLIENTS: clients,
    HeaderSet.CONDITIONS: conditions,
    HeaderSet.REFUSABLE: refusable,
    HeaderSet.LONG: long_values,
    HeaderSet.ALL: everything,
}
OF_GENERATED = (HeaderSet.NEGOTIATION, HeaderSet.LONG)  # the sets that the generated purges carry
OF_WALK = (HeaderSet.REFUSABLE,)  # and the one that begins the walk along the links
INSTEAD = {  # where the former is refused
    HeaderSet.REFUSABLE: HeaderSet.CONDITIONS,
    HeaderSet.LONG: HeaderSet.CLIENTS,
    HeaderSet.ALL: HeaderSet.NEGOTIATION,
}


def planned_sets(client: Client, names: Sequence[HeaderSet]) -> Iterator[HeaderSet]:
    """Return the sets for which purges of the scenario are planned, and note those that the limit leaves out."""
    left_out = names[client.planned_purges :]
    note_left_out(client, [case for name in left_out for case in (name, INSTEAD.get(name)) if case])
    return iter(names[: client.planned_purges])


def purge_with_headers(client: Client, apps: SuiteApps, request: Request, name: HeaderSet) -> Exchange:
    """Record an event and purge with a set of headers; once more if the target refused it or the purge seems broken.

    `request` is the purge without the headers. The last response is returned.
    """
    apps.record_event()
    response = _send(client, request, name)
    again = INSTEAD.get(name) if response.rejected else name
    if again and _seems_broken(client, response) and client.guard.purges_left:
        apps.record_event()
        response = _send(client, _next(client, request), again)
    return response


def purge_with_spare_headers(client: Client, request: Request, name: HeaderSet) -> Exchange:
    """Purge; with a set of headers if the limit leaves no generated purge that could carry it.

    If the target refused the set or the purge seems broken, it is sent once more, and then without the headers. The
    last response is returned.
    """
    if has_generated_purges(client.settings.limits.max_purges, len(OF_GENERATED)):
        return purge_between_snapshots(client, request)
    response = _send(client, request, name)
    again = INSTEAD.get(name) if response.rejected else name
    if again and _seems_broken(client, response) and client.guard.purges_left:
        response = _send(client, _next(client, request), again)
    if _seems_broken(client, response) and client.guard.purges_left:
        response = purge_between_snapshots(client, _next(client, request))
    return response


def _next(client: Client, request: Request) -> Request:
    """Return the same request at a place of its own."""
    return replace(request, where=Place(request.place.step, client.guard.purges))


def _seems_broken(client: Client, response: Exchange) -> bool:
    return not response.succeeded or _survived(client, response.place)


def _send(client: Client, request: Request, name: HeaderSet) -> Exchange:
    headers = {**request.headers, **SETS[name](client.settings.target.url)}
    return purge_between_snapshots(client, replace(request, headers=headers, tags={**request.tags, Tag.HEADERS: name}))


def _survived(client: Client, place: Place) -> bool:
    """Whether an event that no purge seeds, for an app or a process, is listed before and after a purge."""
    seedable = {row["guid"] for row in _rows(client, place, Part.PROCESSES, *Phase)}
    before, after = (
        {
            event_identity(row)
            for row in _rows(client, place, Part.EVENTS, phase)
            if row["guid"] != app_of_event(row) and row["guid"] not in seedable
        }
        for phase in Phase
    )
    return bool(before & after)


def _rows(client: Client, place: Place, part: Part, *phases: Phase) -> list[Row]:
    pages = [page for phase in phases for page in client.recorded(place.at(phase).of(part))]
    return [row for page in pages for row in resources(page)]
