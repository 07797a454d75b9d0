"""Is the target there, is it this API, how fast is it, what does its clock show?"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from purge_conformance.evidence import clock
from purge_conformance.evidence.listing import is_page
from purge_conformance.evidence.steps import Step
from purge_conformance.target.doctor.check import Check, Status, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from purge_conformance.config.settings import Settings
    from purge_conformance.evidence.records import Exchange

MAX_CLOCK_SKEW_S = 5.0  # seconds that a clock may be wrong before anybody is told
SLOW_RESPONSE_S = 1.0  # seconds of an answer that make a run long
UNAVAILABLE_STATUSES = {429, 502, 503, 504}
PROXY_AUTH_REQUIRED = 407
REDIRECTS = range(300, 400)
CONFIGURATION, NETWORK = "configuration", "network"
KNOWN_FAILURES = (  # words of an error -> what was expected, the cure, the blame; the first that match
    (
        ("Hostname mismatch", "IP address mismatch", "doesn't match"),
        ("a certificate of that host", "Give the URL with the name that the certificate has.", CONFIGURATION),
    ),
    (
        ("CERTIFICATE_VERIFY_FAILED",),
        (
            "a certificate that a known authority signed",
            "Name the authority's certificate: --ca-bundle FILE. Where it is only for trying: --insecure.",
            CONFIGURATION,
        ),
    ),
    (
        ("NO_CERTIFICATE_OR_CRL_FOUND", "CA certificate bundle"),
        ("certificates to trust", "Name a file of certificates in PEM: --ca-bundle FILE.", CONFIGURATION),
    ),
    (
        ("CERTIFICATE", "UNKNOWN_CA", "HANDSHAKE_FAILURE", "PEM lib", "KEY_VALUES_MISMATCH"),
        (
            "to be let in with a certificate",
            "Give one that the target trusts, and its key: --client-cert FILE and --client-key FILE, PEM.",
            CONFIGURATION,
        ),
    ),
    (
        ("SSL",),
        (
            "TLS",
            "See whether the URL is to begin with http://, and whether the target wants --client-cert FILE.",
            CONFIGURATION,
        ),
    ),
    (("Tunnel connection failed",), ("a proxy that lets through", "Check --proxy and its password.", CONFIGURATION)),
    (("gaierror", "NameResolution"), ("a host that is known", "Check the host in the URL, and the DNS.", NETWORK)),
)
DEFAULT_FAILURE = ("an answer", "Check the URL, the network (also --proxy and --timeout) and the target.", NETWORK)


def checks(exchanges: Sequence[Exchange], settings: Settings) -> Iterable[Check]:
    """Yield what the first answers show of the way to the target, and of the target as such."""
    yield from _check_reachable(exchanges, settings)
    if any(x.status is not None for x in exchanges):
        yield from _check_tls(settings)
        yield from _check_api(exchanges)
        yield _check_clock(exchanges)
        yield _check_rate_limit(exchanges, settings)
        yield _check_latency(exchanges)


def _check_reachable(exchanges: Sequence[Exchange], settings: Settings) -> Iterable[Check]:
    unanswered = next((x for x in exchanges if x.status is None), None)
    if unanswered is None:
        yield ok("reachable", f"{settings.target.url} answers")
        return
    error = unanswered.error or ""
    expected, next_step, cause = next(
        (rest for words, rest in KNOWN_FAILURES if any(w in error for w in words)), DEFAULT_FAILURE
    )
    yield Check(
        "reachable",
        Status.PROBLEM,
        f"no answer to GET {unanswered.path} ({error})",
        expected,
        next_step,
        cause,
        is_fatal=True,
    )


def _check_tls(settings: Settings) -> Iterable[Check]:
    if settings.transport.insecure:
        got, expected = "certificates are not verified", "that they are"
        yield warning("TLS", got, expected, "Give --ca-bundle FILE instead of --insecure.")
    elif settings.target.url.startswith("https:"):
        yield ok("TLS", "the certificate is valid")
    elif not settings.target.is_loopback:
        yield warning("TLS", "tokens go over the network in the clear", "https", "Give the URL with https://.")


def _check_api(exchanges: Sequence[Exchange]) -> Iterable[Check]:
    """Yield whether lists can be read, which no run can do without, and whether the root names API v3."""
    lists = [x for x in exchanges if x.step in {Step.APPS, Step.EVENTS}]
    roots = [x for x in exchanges if x.step in {Step.ROOT, Step.V3_ROOT}]
    if any(map(is_page, lists)) and any(map(is_root, roots)):
        yield ok("API", _version(roots) or "the root names API v3")
    elif any(map(is_page, lists)):
        got = f"{_describe_responses(roots)}, without the links of a root"
        yield warning("API", got, "the root of API v3", "See that the path of the URL is right.")
    elif lists:
        yield Check(
            "API", Status.PROBLEM, _describe_responses(lists), *_explain_missing_api(lists, roots), is_fatal=True
        )


def _describe_responses(exchanges: Iterable[Exchange]) -> str:
    return " and ".join(f"{x.status or x.error} to GET {x.path}" for x in exchanges)


def _explain_missing_api(lists: Sequence[Exchange], roots: Sequence[Exchange]) -> tuple[str, str, str]:
    """Return what was expected, the cure and the blame, where neither apps nor events can be read."""
    statuses = {x.status for x in lists}
    if PROXY_AUTH_REQUIRED in statuses:
        return "a proxy that lets through", "Check --proxy and its password.", CONFIGURATION
    if statuses & {401, 403}:
        return "the lists", "The target refuses the token given as admin. Give a valid one.", "authentication"
    if statuses & (UNAVAILABLE_STATUSES | {None}):
        return "the lists", "The target is not available. Run again when it is.", "network"
    redirect = next((x.header("Location") for x in [*roots, *lists] if x.status in REDIRECTS), None)
    if redirect:
        return "the lists", f"It redirects to {redirect}. If that is it, give that as URL.", "configuration"
    return "Cloud Foundry's API v3", "Check the URL.", "configuration"


def is_root(exchange: Exchange) -> bool:
    """Whether an answer is the root document of the API, or of its version 3."""
    links = _links(exchange)
    return bool(links.keys() & {"cloud_controller_v3", "app_usage_events", "apps"})


def _version(roots: Iterable[Exchange]) -> str:
    """Return what a root says of its version; empty where it says none."""
    for root in roots:
        entry = _links(root).get("cloud_controller_v3")
        meta = entry.get("meta") if isinstance(entry, dict) else None
        if isinstance(meta, dict) and isinstance(meta.get("version"), str):
            return f"API {meta['version']}"
    return ""


def _links(root: Exchange) -> dict[str, Any]:
    links = root.json.get("links") if isinstance(root.json, dict) else None
    return links if isinstance(links, dict) else {}


def _check_clock(exchanges: Sequence[Exchange]) -> Check:
    offset = clock.offset_from_dates(exchanges)
    if offset is None:
        return ok("clock", "no Date header shows the target's")
    skew = max(offset.lower, 0.0) or min(offset.upper, 0.0)  # none where the bounds lie around 0
    if abs(skew) <= MAX_CLOCK_SKEW_S:
        return ok("clock", "the target's and this machine's agree")
    ahead = "ahead of" if skew > 0 else "behind"
    got = f"the target's is {abs(skew):,.0f} s {ahead} this machine's"
    return warning(
        "clock", got, f"at most {MAX_CLOCK_SKEW_S:g} s", "Have both clocks set by NTP; tokens and ages depend on them."
    )


def _check_rate_limit(exchanges: Sequence[Exchange], settings: Settings) -> Check:
    announcement = next(
        (x for x in reversed(exchanges) if x.header("X-RateLimit-Remaining") and x.role == "admin"), None
    )
    remaining = (announcement.header("X-RateLimit-Remaining") or "") if announcement else ""
    if not remaining.isascii() or not remaining.isdigit() or len(remaining) > 9:  # noqa: PLR2004 -- digits of a number that is a limit
        return ok("rate limit", "none is announced")
    needed = settings.limits.max_requests
    if int(remaining) >= needed:
        return ok("rate limit", f"{remaining} requests are left")
    got = f"{remaining} requests are left to the admin"
    return warning("rate limit", got, f"{needed}", "Raise the limit, or wait; or a smaller --max-requests.")


def _check_latency(exchanges: Sequence[Exchange]) -> Check:
    typical = median(x.elapsed for x in exchanges)
    got = f"an answer takes {1000 * typical:,.0f} ms"
    if typical <= SLOW_RESPONSE_S:
        return ok("latency", got)
    return warning(
        "latency", got, f"at most {1000 * SLOW_RESPONSE_S:,.0f} ms", "Run from nearer to the target, or allow for it."
    )
