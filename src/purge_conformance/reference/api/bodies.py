"""Request bodies: JSON, files in forms, and required fields."""

from __future__ import annotations

import json
from email import message_from_bytes
from email.message import Message
from typing import TYPE_CHECKING, Any, NoReturn

from purge_conformance.reference.api import errors as problems

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON_TYPES = ("application/json", "application/jsonrequest", "application/problem+json")
MAX_NAME_LENGTH = 255


def parse_body(raw: bytes, content_type: str) -> Any:  # noqa: ANN401 - any JSON value
    """Parse a body whose Content-Type is JSON; return None for any other Content-Type, or without a body.

    Raises:
        ApiError: 400 for a body that is not valid JSON, is nested too deeply, or is not valid Unicode.
    """
    if not raw or content_type.partition(";")[0].strip().lower() not in JSON_TYPES:
        return None
    try:
        value = json.loads(raw.decode(), parse_constant=_reject_constant)
        json.dumps(value, ensure_ascii=False).encode()  # fails for an unpaired surrogate in an escape
    except (ValueError, RecursionError) as error:
        raise problems.unparsable_body() from error
    return value


def find_file(raw: bytes, content_type: str, field: str) -> tuple[str, bytes] | None:
    """Find the file in a field of a multipart form; return its name and content, or None."""
    form = Message()
    form["content-type"] = content_type
    boundary = form.get_boundary()
    if form.get_content_type() != "multipart/form-data" or not boundary:
        return None
    for part in (b"\r\n" + raw).split(b"\r\n--" + boundary.encode())[1:]:
        head, _, content = part.partition(b"\r\n\r\n")
        header = message_from_bytes(head.lstrip())
        name = header.get_filename()
        if name is not None and header.get_param("name", header="content-disposition") == field:
            return name, content
    return None


def _reject_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def read_object(body: Any, allowed: tuple[str, ...]) -> Mapping[str, Any]:  # noqa: ANN401 - any JSON value
    """Return a body that is an object with known fields only; without a body, an empty object.

    Raises:
        ApiError: 422 for any other body.
    """
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise problems.unprocessable("Request body must be an object")
    unknown = [name for name in body if name not in allowed]
    if unknown:
        raise problems.unprocessable(f"Unknown field(s): {', '.join(map(repr, unknown))}")
    return body


def read_name(body: Mapping[str, Any]) -> str:
    """Return the `name` of a new resource.

    Raises:
        ApiError: 422 if it is missing, not a string, blank, too long, or contains NUL, which some databases reject.
    """
    name = body.get("name")
    if not isinstance(name, str):
        raise problems.unprocessable("Name must be a string")
    if not name.strip():
        raise problems.unprocessable("Name can't be blank")
    if len(name) > MAX_NAME_LENGTH:
        raise problems.unprocessable(f"Name is too long (maximum is {MAX_NAME_LENGTH} characters)")
    if "\0" in name:
        raise problems.unprocessable("Name must not contain NUL")
    return name


def read_new_name(body: Any, name: str) -> str:  # noqa: ANN401 - any JSON value
    """Return the `name` in the body of an update, which has no other field; without it, the name so far.

    Raises:
        ApiError: 422, as `read_object` and `read_name` do.
    """
    fields = read_object(body, ("name",))
    return read_name(fields) if fields else name


def read_related_guid(body: Mapping[str, Any], relation: str) -> str:
    """Return `relationships.<relation>.data.guid`.

    Raises:
        ApiError: 422 if it is missing.
    """
    value: Any = body
    for key in ("relationships", relation, "data", "guid"):
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, str):
        raise problems.unprocessable(f"Relationships {relation} must be structured like this: {_example(relation)}")
    return value


def _example(relation: str) -> str:
    return json.dumps({relation: {"data": {"guid": "valid-guid"}}})
