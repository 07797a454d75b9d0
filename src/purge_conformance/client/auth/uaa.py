"""Gets and refreshes tokens at the target's UAA, Cloud Foundry's OAuth server.

Sources: RFC 6749, sections 4.3, 4.4, 5 and 6; UAA's API documentation, "Token"; Cloud Controller's, "Root".
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from purge_conformance.client.auth.token import Token, build_token, strip_scheme
from purge_conformance.config.settings import Target, parse_target
from purge_conformance.config.transport import Transport
from purge_conformance.errors import BadSetting, LoginRejected, TargetUnreachable
from purge_conformance.evidence.redaction import Redactor, refresh_variable, token_variable, variable
from purge_conformance.evidence.url_passwords import mask_passwords

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from purge_conformance.client.auth.secret_source import SecretSource

    Ask = Callable[[str, str, Mapping[str, str], bytes], tuple[int, bytes]]  # method, URL, headers, body

LOGIN_LINKS = ("uaa", "login")  # of the root document, in order of preference: both serve tokens
MAX_LIFETIME_S = 10 * 365 * 24 * 3600
MAX_QUOTED_CHARS = 200  # of a server's error message
SECRET_MEMBERS = {"access_token", "refresh_token", "id_token"}  # of a token response
CF_CLIENT_ID = "cf"  # the client of the cf CLI, which every UAA of Cloud Foundry knows; its secret is empty


@dataclass(frozen=True)
class Uaa:
    """The token endpoint that the target's root document names.

    Attributes:
        target: the server under judgment.
        ask: sends a request without following redirects; returns status and body.
        is_loopback: whether a request to a URL stays on this machine.
        redactor: learns the secrets of the logins here.
    """

    target: Target
    ask: Ask
    is_loopback: Callable[[str], bool] = Transport().is_loopback
    redactor: Redactor = field(default_factory=Redactor, repr=False, compare=False)

    def endpoint(self) -> str:
        """Return the URL of the token endpoint.

        Raises:
            BadSetting: the root names none, or it is reached without https.
            TargetUnreachable: the target does not respond.
        """
        return f"{self._require_safe(self._find_url(), 'The login').rstrip('/')}/oauth/token"

    def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> tuple[int, bytes]:
        """Return the status and body of a definite response.

        Raises:
            TargetUnreachable: there is no response, or its status is 429 or 5xx.
        """
        status, answer = self.ask(method, url, headers, body)
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise TargetUnreachable(f"{url} answered with {status}. Run again when it is available.")
        return status, answer

    def _find_url(self) -> str:
        base = self._require_safe(self.target.url, "The target, whose root document names the login server,")
        status, body = self.request("GET", f"{base}/", {"Accept": "application/json"})
        links = _as_object(_as_object(body).get("links"))
        for name in LOGIN_LINKS:
            href = _as_object(links.get(name)).get("href")
            if status == HTTPStatus.OK and isinstance(href, str) and href:
                return href
        raise BadSetting(
            f"{base}/ answered with {status} and names no login server: neither links.uaa.href nor links.login.href. "
            "Check the target's URL, or give another source: --token ROLE=env:NAME."
        )

    def _require_safe(self, url: str, what: str) -> str:
        """Return a URL to which passwords may be sent: https, or loopback if the target is on loopback as well."""
        target = parse_target(url)
        is_local = self.is_loopback(target.url) and self.is_loopback(self.target.url)
        if urlsplit(url).scheme != "https" and not is_local:
            raise BadSetting(
                f"{what} is at {target.url}, which is not https, so no password is sent. "
                "Give the target's https URL, or another source: --token ROLE=env:NAME."
            )
        return target.url


@dataclass(frozen=True, slots=True)
class User:
    """A user of the password grant.

    Attributes:
        name: the user name.
        origin: key of the user's identity provider, for example `ldap`; empty lets the UAA choose.
    """

    name: str
    origin: str = ""

    @property
    def login_hint(self) -> dict[str, str]:
        """The request parameter for the origin, as the cf CLI sends it for --origin."""
        return {"login_hint": json.dumps({"origin": self.origin})} if self.origin else {}


@dataclass(frozen=True, slots=True)
class Grant:
    """An OAuth grant: what the suite requests a token with.

    Attributes:
        role: the token's role.
        kind: `password`, `client_credentials` or `refresh_token`.
        client: id of the OAuth client.
        secret: the client's secret; None if it is empty.
        user: the user of a password grant.
        credential: the user's password, or the first refresh token.
    """

    role: str
    kind: str
    client: str = CF_CLIENT_ID
    secret: SecretSource | None = None
    user: User | None = None
    credential: SecretSource | None = None


@dataclass
class Login:
    """The source of a role's token: a login with its grant, then with the refresh token that came with it."""

    grant: Grant
    uaa: Uaa
    is_renewable: bool = True
    refresh_token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Check for the OAuth library before anything is sent.

        Raises:
            BadSetting: it is not installed.
        """
        _import_oauth2()

    def fetch(self) -> Token:
        """Return a new token: for the refresh token, or for the grant if there is none or it is rejected."""
        if self.refresh_token:
            try:
                return self._request_token({"refresh_token": self.refresh_token})
            except LoginRejected:
                self.refresh_token = ""
        credential = self.grant.credential.read() if self.grant.credential else ""
        if user := self.grant.user:
            return self._request_token({"username": user.name, "password": credential, **user.login_hint})
        return self._request_token({"refresh_token": credential} if self.grant.kind == "refresh_token" else {})

    def _request_token(self, parameters: dict[str, str]) -> Token:
        """Send the token request with a refresh token, with a user's name and password, or for the client itself."""
        secret = self.grant.secret.read() if self.grant.secret else ""
        basic = base64.b64encode(f"{self.grant.client}:{secret}".encode()).decode()
        headers = {
            "Accept": "application/json",
            "Authorization": f"Basic {basic}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        endpoint = self.uaa.endpoint()
        status, body = self.uaa.request(
            "POST", endpoint, headers, _token_request_body(self.grant.client, parameters).encode()
        )
        response = _parse_response(
            body,
            f"The login of {self.grant.role} at {endpoint} answered with {status} and without a token",
            self.uaa.redactor,
        )
        self._learn(response)
        old_refresh_token, new_refresh_token = parameters.get("refresh_token", ""), response.get("refresh_token")
        self.refresh_token = new_refresh_token if isinstance(new_refresh_token, str) else old_refresh_token
        lifetime = response.get("expires_in")
        return build_token(
            strip_scheme(str(response["access_token"]), self.grant.role),
            float(lifetime) if isinstance(lifetime, int) and 0 < lifetime <= MAX_LIFETIME_S else None,
        )

    def _learn(self, response: Mapping[str, Any]) -> None:
        """Let the redactor learn the secrets of a token response."""
        role, redactor = self.grant.role, self.uaa.redactor
        names = {"access_token": token_variable(role), "refresh_token": refresh_variable(role)}
        for member in SECRET_MEMBERS & response.keys():
            if isinstance(response[member], str):
                redactor.add_secret(names.get(member) or f"{variable(role)}_{variable(member)}", response[member])


def _import_oauth2() -> Any:  # noqa: ANN401 -- a module
    try:
        from oauthlib import oauth2  # noqa: PLC0415 -- an optional dependency
    except ImportError:
        raise BadSetting(
            "A login at a UAA needs an OAuth library. Run `pip install 'purge-conformance[uaa]'`, "
            "or give another source: --token ROLE=env:NAME."
        ) from None
    return oauth2


def _token_request_body(client: str, parameters: Mapping[str, Any]) -> str:
    from oauthlib import oauth2  # noqa: PLC0415 -- as in _import_oauth2

    if "refresh_token" in parameters:
        return str(
            oauth2.BackendApplicationClient(client).prepare_refresh_body(refresh_token=parameters["refresh_token"])
        )
    if "username" in parameters:
        return oauth2.LegacyApplicationClient(client).prepare_request_body(**parameters)
    return oauth2.BackendApplicationClient(client).prepare_request_body()


def _parse_response(body: bytes, failure: str, redactor: Redactor) -> Mapping[str, Any]:
    """Return the members of a token response.

    Raises:
        LoginRejected: it has no token; the message quotes the server's error without secrets.
    """
    from oauthlib import oauth2  # noqa: PLC0415 -- as in _import_oauth2

    try:
        response: Mapping[str, Any] = oauth2.BackendApplicationClient("").parse_request_body_response(
            body.decode("utf-8", "replace")
        )
    except oauth2.OAuth2Error as error:
        message = " ".join(f"{error.error}: {error.description}".split())
    except (
        ValueError,
        TypeError,
        AttributeError,
        RecursionError,
    ):  # of JSON that is not an object
        message = "the response is not OAuth's"
    else:
        return response
    quoted = mask_passwords(redactor.redact_text(message))[:MAX_QUOTED_CHARS].rstrip(".")
    raise LoginRejected(f"{failure}: {quoted}. Check the names, the secrets and the grant of this login.")


def _as_object(value: object) -> dict[str, Any]:
    """Return a JSON object, given as a value or as text; an empty one for anything else."""
    try:
        document = json.loads(value) if isinstance(value, bytes) else value
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
