"""The errors of the API: one function returns each as an `ApiError`.

Statuses, codes, titles and details are Cloud Controller's. The envelope is the documentation's:
`{"errors": [{"detail", "title", "code"}]}`.
"""

from __future__ import annotations

from http import HTTPStatus


class ApiError(Exception):
    """An error response.

    `status` is the HTTP status; `code`, `title` and `detail` are members of the envelope.
    """

    def __init__(self, status: int, code: int, title: str, detail: str) -> None:
        """Store the status and the members of the envelope."""
        super().__init__(detail)
        self.status, self.code, self.title, self.detail = status, code, title, detail


def envelope(error: ApiError) -> dict[str, object]:
    """Return the documented body of an error: one object in the array `errors`."""
    return {"errors": [{"detail": error.detail, "title": error.title, "code": error.code}]}


def unparsable_body() -> ApiError:
    """400: the Content-Type is JSON, and the body is not."""
    detail = "Request invalid due to parse error: invalid request body"
    return ApiError(HTTPStatus.BAD_REQUEST, 1001, "CF-MessageParseError", detail)


def unreadable_request() -> ApiError:
    """400: the query string is not UTF-8, or contains NUL, which some databases reject."""
    return ApiError(HTTPStatus.BAD_REQUEST, 10004, "CF-InvalidRequest", "The request is invalid")


def not_authenticated() -> ApiError:
    """401: the request has no bearer token."""
    return ApiError(HTTPStatus.UNAUTHORIZED, 10002, "CF-NotAuthenticated", "Authentication error")


def invalid_token() -> ApiError:
    """401: the bearer token is not valid."""
    return ApiError(HTTPStatus.UNAUTHORIZED, 1000, "CF-InvalidAuthToken", "Invalid Auth Token")


def not_authorized() -> ApiError:
    """403: the token is valid, and its scopes do not suffice."""
    return ApiError(
        HTTPStatus.FORBIDDEN, 10003, "CF-NotAuthorized", "You are not authorized to perform the requested action"
    )


def not_found(resource: str) -> ApiError:
    """404: the resource does not exist, or is not visible to the caller."""
    return ApiError(HTTPStatus.NOT_FOUND, 10010, "CF-ResourceNotFound", f"{resource} not found")


def unknown_request() -> ApiError:
    """404: the route does not exist; Cloud Controller answers a wrong method in the same way."""
    return ApiError(HTTPStatus.NOT_FOUND, 10000, "CF-NotFound", "Unknown request")


def conflict() -> ApiError:
    """409: the request conflicts with another purge."""
    return ApiError(HTTPStatus.CONFLICT, 10016, "CF-Conflict", "Another purge is under way")


def unprocessable(*details: str) -> ApiError:
    """422: parameters or fields are not valid; several details are joined, as in Cloud Controller."""
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, 10008, "CF-UnprocessableEntity", ", ".join(details))


def unknown_error() -> ApiError:
    """500: the server failed; the reason is in its log, not in the response."""
    return ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, 10001, "UnknownError", "An unknown error occurred.")


def uaa_rate_limited() -> ApiError:
    """Too many requests were made to the UAA."""
    return ApiError(429, 20008, "CF-UaaRateLimited", "The UAA is currently rate limited. Please try again later")


def database_unavailable() -> ApiError:
    """503: the database did not answer."""
    return ApiError(HTTPStatus.SERVICE_UNAVAILABLE, 10015, "CF-ServiceUnavailable", "Database connection failure")
