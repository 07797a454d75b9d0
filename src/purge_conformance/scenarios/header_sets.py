"""The sets of headers that purges carry, as clients, browsers, proxies and tracers send them.

In a set, None leaves out a header that is sent otherwise; the value of `Authorization` is how its scheme is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

from purge_conformance.evidence.tag_values import HeaderSet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Headers = Mapping[str, str | None]

MANY = 20  # fields that no server knows
LONG_VALUE = "purge-conformance " * 125  # 2,250 characters: two of them and the rest fit into 8,000
BEYOND_ASCII = "caf\u00e9 \u00fc".encode().decode("latin-1")  # as UTF-8, which a header field takes as opaque bytes
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PORTS = {"http": 80, "https": 443}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


def negotiation(_: str) -> Headers:
    """Return headers for content negotiation that all allow JSON, and those that change nothing for a purge.

    Like the example of the documentation, `curl -X POST`, it has no Content-Length.
    """
    return {
        "Content-Length": None,
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
    """Return no Accept, and what a browser, proxies and tracers add; hosts and schemes are the target's own.

    Like a client that begins to send before it knows that there is no content, it sends the end of a chunked body, and
    does not wait for the interim response that it expects (RFC 9110, 10.1.1).
    """
    scheme, host = urlsplit(url)[:2]
    return {
        "Transfer-Encoding": "chunked",
        "Expect": "100-continue",
        "Content-Type": "application/x-www-form-urlencoded",
        "Authorization": "Bearer",
        "Accept": None,
        "User-Agent": BROWSER,
        "Origin": f"{scheme}://{host}",
        "Referer": f"{scheme}://{host}/",
        "Sec-Fetch-Site": "same-origin",
        "Sec-Fetch-Mode": "cors",
        "Sec-Fetch-Dest": "empty",
        "Sec-CH-UA": '"Chromium";v="140", "Not=A?Brand";v="24"',
        "Sec-CH-UA-Mobile": "?0",
        "Sec-CH-UA-Platform": '"Linux"',
        "Sec-GPC": "1",
        "Cookie": "theme=dark; lang=fr",
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
        "DNT": "1",
        "Priority": "u=1, i",
        "X-Requested-With": "XMLHttpRequest",
        **_of_proxies(url),
        **_of_tracers(),
    }


def _of_proxies(url: str) -> Headers:
    scheme, host = urlsplit(url)[:2]
    return {
        "X-Forwarded-For": "203.0.113.7, 198.51.100.2",
        "X-Forwarded-Host": host,
        "X-Forwarded-Proto": scheme,
        "X-Forwarded-Port": str(urlsplit(url).port or PORTS[scheme]),
        "X-Forwarded-Ssl": "on" if scheme == "https" else "off",
        "CF-Ray": "8f2c4b7a1d3e5f60-FRA",
        "CF-Connecting-IP": "203.0.113.7",
        "True-Client-IP": "203.0.113.7",
        "X-Client-IP": "203.0.113.7",
        "X-Envoy-External-Address": "203.0.113.7",
        "X-Real-IP": "203.0.113.7",
        "Forwarded": f'for=203.0.113.7;host="{host}";proto={scheme}, for="[2001:db8::7]"',
        "Via": "1.1 proxy.example.org, 2 edge (purge-conformance)",
    }


def _of_tracers() -> Headers:
    return {
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
        "X-Datadog-Trace-Id": "1234567890123456789",
        "uber-trace-id": f"{TRACE}:{SPAN}:0:1",
        "sentry-trace": f"{TRACE}-{SPAN}-1",
        "baggage": "userId=alice,isProduction=false",
        "X-Cloud-Trace-Context": f"{TRACE}/1;o=1",
        "X-Amzn-Trace-Id": f"Root=1-{TRACE[:8]}-{TRACE[8:]}",
    }


def conditions(_: str) -> Headers:
    """Return what a client adds to a request that is to take effect once, or only if it still fits.

    A server MUST ignore h2 in Upgrade (RFC 7540, 3.2). No chunks follow it: some servers take these for a request.
    """
    return {
        "Connection": "Upgrade",
        "Upgrade": "h2",
        "User-Agent": "Java-http-client/21.0.7",
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
        "User-Agent": "Go-http-client/1.1 cf/8.14.1 (go1.24.4; amd64 linux)",
        "Authorization": "BEARER",
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
        "User-Agent": f"{BROWSER} python-requests/2.32.5 ({BEYOND_ASCII})",
    }


def everything(url: str) -> Headers:
    """Return the headers of all sets that leave a server no reason to refuse the purge, but that they are many."""
    return {**long_values(url), **conditions(url), **negotiation(url), "Transfer-Encoding": None, "Expect": None}


SETS: Mapping[HeaderSet, Callable[[str], Headers]] = {
    HeaderSet.NEGOTIATION: negotiation,
    HeaderSet.CLIENTS: clients,
    HeaderSet.CONDITIONS: conditions,
    HeaderSet.REFUSABLE: refusable,
    HeaderSet.LONG: long_values,
    HeaderSet.ALL: everything,
}
