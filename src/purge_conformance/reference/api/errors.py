"""Every refusal of the reference server, as a value.

Statuses, codes, titles and details are Cloud Controller's; each refusal is one function that makes an `ApiError`.
The envelope is the documentation's: `{"errors": [{"detail", "title", "code"}]}`.
"""

from __future__ import annotations


class ApiError(Exception):
    """A request that the server refuses.

    `status` is the HTTP status; `code`, `title` and `detail` go into the envelope as they are.
    """

    def __init__(self, status: int, code: int, title: str, detail: str) -> None:
        """Keep what the envelope shows."""
        super().__init__(detail)
        self.status, self.code, self.title, self.detail = status, code, title, detail


def envelope(error: ApiError) -> dict[str, object]:
    """Show a refusal as the body that the documentation promises: one object in the array `errors`."""
    return {"errors": [{"detail": error.detail, "title": error.title, "code": error.code}]}


def unparsable_body() -> ApiError:
    """400: the body is labelled JSON and is none."""
    detail = "Request invalid due to parse error: invalid request body"
    return ApiError(400, 1001, "CF-MessageParseError", detail)


def unreadable_request() -> ApiError:
    """400: the query string is not UTF-8, or holds a NUL, which no database would take."""
    return ApiError(400, 10004, "CF-InvalidRequest", "The request is invalid")


def not_authenticated() -> ApiError:
    """401: there is no bearer token."""
    return ApiError(401, 10002, "CF-NotAuthenticated", "Authentication error")


def invalid_token() -> ApiError:
    """401: there is a bearer token, and it does not hold."""
    return ApiError(401, 1000, "CF-InvalidAuthToken", "Invalid Auth Token")


def not_authorized() -> ApiError:
    """403: the token holds, and its scopes do not reach."""
    return ApiError(403, 10003, "CF-NotAuthorized", "You are not authorized to perform the requested action")


def not_found(resource: str) -> ApiError:
    """404: there is no such resource, or the caller may not know of it."""
    return ApiError(404, 10010, "CF-ResourceNotFound", f"{resource} not found")


def unknown_request() -> ApiError:
    """404: there is no such route; Cloud Controller answers so to a wrong method as well."""
    return ApiError(404, 10000, "CF-NotFound", "Unknown request")


def conflict() -> ApiError:
    """409: something else that is under way does not go together with the request."""
    return ApiError(409, 10016, "CF-Conflict", "Another purge is under way")


def unprocessable(*details: str) -> ApiError:
    """422: parameters or fields are wrong; several complaints make one detail, as in Cloud Controller."""
    return ApiError(422, 10008, "CF-UnprocessableEntity", ", ".join(details))


def unknown_error() -> ApiError:
    """500: the server failed; the reason is in its log, never in the answer."""
    return ApiError(500, 10001, "UnknownError", "An unknown error occurred.")


def database_unavailable() -> ApiError:
    """503: the database did not answer."""
    return ApiError(503, 10015, "CF-ServiceUnavailable", "Database connection failure")
