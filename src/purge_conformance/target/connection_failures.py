"""What a user can do about an error of the connection to the target."""

from __future__ import annotations

CONFIGURATION, NETWORK = "configuration", "network"
KNOWN_FAILURES = (  # words of an error -> expected, next step, cause; the first match counts
    (
        ("Hostname mismatch", "IP address mismatch", "doesn't match"),
        ("a certificate for the URL's host", "Give the URL with a host name of the certificate.", CONFIGURATION),
    ),
    (
        ("CERTIFICATE_VERIFY_FAILED",),
        (
            "a certificate of a trusted authority",
            "Give the authority's certificate: --ca-bundle FILE; or --insecure to skip verification.",
            CONFIGURATION,
        ),
    ),
    (
        ("NO_CERTIFICATE_OR_CRL_FOUND", "CA certificate bundle"),
        ("a file of certificates", "Give a file with certificates in PEM: --ca-bundle FILE.", CONFIGURATION),
    ),
    (
        ("CERTIFICATE", "UNKNOWN_CA", "HANDSHAKE_FAILURE", "PEM lib", "KEY_VALUES_MISMATCH"),
        (
            "a client certificate that the target trusts",
            "Give the certificate and its key in PEM: --client-cert FILE and --client-key FILE.",
            CONFIGURATION,
        ),
    ),
    (
        ("SSL",),
        (
            "a TLS connection",
            "If the target has no TLS, give its http:// URL; if it wants a certificate, --client-cert FILE.",
            CONFIGURATION,
        ),
    ),
    (("Tunnel connection failed",), ("a proxy that allows it", "Check --proxy and its password.", CONFIGURATION)),
    (("Connection refused",), ("a response", "Check the URL and --proxy.", NETWORK)),
    (("gaierror", "NameResolution"), ("a host with an address", "Check the host name in the URL, and DNS.", NETWORK)),
)
DEFAULT_FAILURE = ("a response", "Check the URL, the network, --proxy, --timeout and the target.", NETWORK)


def explain_failure(error: str | None) -> tuple[str, str, str]:
    """Return what was expected, the next step and the cause, for the error of an exchange without a response."""
    return next((rest for words, rest in KNOWN_FAILURES if any(w in (error or "") for w in words)), DEFAULT_FAILURE)
