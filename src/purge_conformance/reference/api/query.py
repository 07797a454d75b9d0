"""Query parameters of lists: parsed and validated into a `ListQuery`.

The rules and the messages are Cloud Controller's, except where it answers 500 to a parameter that it cannot parse
(`page[]=1`, month 13): here it is rejected like any other one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.store.tables import TIMESTAMP_FORMAT

DEFAULT_PER_PAGE, MAX_PER_PAGE = 50, 5000
MAX_RESULT = 2**63 - 1
PAGE_PARAMETERS = ("page", "per_page", "order_by", "created_ats", "updated_ats")
OPERATORS = ("lt", "lte", "gt", "gte")

Parameters = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class ListRules:
    """The parameters of one list beyond paging.

    Attributes:
        filters: parameters with guids or names, separated by commas.
        orders: columns that `order_by` accepts.
        single_guid_parameters: parameters with one guid.
        forbidden_parameters: parameters of all lists that this one rejects.
    """

    filters: tuple[str, ...] = ("guids",)
    orders: tuple[str, ...] = ("created_at", "updated_at")
    single_guid_parameters: tuple[str, ...] = ()
    forbidden_parameters: tuple[str, ...] = ()

    @property
    def known_parameters(self) -> tuple[str, ...]:
        """All parameters that the error about an unknown one lists."""
        return (*PAGE_PARAMETERS, *self.filters, *self.single_guid_parameters)


@dataclass(frozen=True, kw_only=True)
class TimeFilter:
    """A condition on a timestamp column: equal to one of `values`, or compared with the only value by `operator`."""

    column: str
    operator: str | None
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ListQuery:
    """A validated query for one page of a list.

    Attributes:
        page: number of the page, from 1.
        per_page: rows of a page.
        skip: rows before the page.
        take: rows to fetch.
        order_by: a column with its sign, or None for the order of the internal ids.
        filters: allowed values by parameter; a row must match each parameter.
        times: conditions on timestamps; a row must meet all of them.
        single_guids: guid by parameter, for those that accept one guid.
        link_parameters: the parameters in links, without page and per_page.
    """

    page: int
    per_page: int
    skip: int
    take: int
    order_by: str | None
    filters: Mapping[str, tuple[str, ...]]
    times: tuple[TimeFilter, ...]
    single_guids: Mapping[str, str]
    link_parameters: Parameters


def parse_query(query_string: bytes) -> dict[str, str]:
    """Decode a query string; the last of repeated parameters counts.

    Raises:
        ApiError: 400 if it is not UTF-8 or contains NUL.
    """
    try:
        pairs = parse_qsl(query_string.decode(), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise problems.unreadable_request() from error
    if any("\0" in name + value for name, value in pairs):
        raise problems.unreadable_request()
    return {name: value for name, value in pairs if name}


def parse_list_query(parameters: Parameters, rules: ListRules) -> ListQuery:
    """Validate the parameters of a list.

    Raises:
        ApiError: 422 with the messages about all parameters that are not valid, in Cloud Controller's order.
    """
    errors = tuple(_validation_errors(parameters, rules))
    if errors:
        raise problems.unprocessable(*errors)
    page, per_page = _parse_integer(parameters, "page", 1), _parse_integer(parameters, "per_page", DEFAULT_PER_PAGE)
    order_by = _signed_order(parameters)
    filters = {name: _split_values(parameters[name]) for name in rules.filters if name in parameters}
    single_guids = {name: parameters[name] for name in rules.single_guid_parameters if name in parameters}
    times = tuple(_time_filters(parameters))
    link_parameters = {
        name: parameters[name]
        for name in [*single_guids, *(key for key in parameters if _base_name(key).endswith("_ats"))]
    }
    link_parameters |= {name: ",".join(values) for name, values in filters.items()}
    return ListQuery(
        page=page,
        per_page=per_page,
        skip=(page - 1) * per_page,
        take=per_page,
        order_by=order_by,
        filters=filters,
        times=times,
        single_guids=single_guids,
        link_parameters=link_parameters | ({"order_by": order_by} if order_by else {}),
    )


def _validation_errors(parameters: Parameters, rules: ListRules) -> Iterator[str]:
    yield from _page_errors(parameters)
    order_by = _signed_order(parameters)
    if _is_nested(parameters, "order_by") or (order_by and order_by[1:] not in rules.orders):
        yield "Order by can only be: " + ", ".join(f"'{column}'" for column in rules.orders)
    for name in ("created_ats", "updated_ats"):
        yield from _time_errors(parameters, name)
    yield from (f"{_human_name(name)} must be an array" for name in rules.filters if _is_nested(parameters, name))
    unknown = dict.fromkeys(_base_name(name) for name in parameters if _base_name(name) not in rules.known_parameters)
    if unknown:
        valid = ", ".join(f"'{name}'" for name in rules.known_parameters)
        yield f"Unknown query parameter(s): {', '.join(map(repr, unknown))}. Valid parameters are: {valid}"
    for name in rules.forbidden_parameters:
        if any(_base_name(key) == name for key in parameters):
            yield f"Filtering by '{name}' is not allowed on this resource."
    for name in rules.single_guid_parameters:
        if _is_nested(parameters, name) or "," in parameters.get(name, ""):
            yield f"{_human_name(name)} filter accepts only one guid"


def _page_errors(parameters: Parameters) -> Iterator[str]:
    page, per_page = _parse_integer(parameters, "page", 1), _parse_integer(parameters, "per_page", DEFAULT_PER_PAGE)
    if page < 1:
        yield "Page must be a positive integer"
    if per_page < 1:
        yield "Per page must be a positive integer"
    if per_page > MAX_PER_PAGE:
        yield f"Per page must be between 1 and {MAX_PER_PAGE}"
    if page > 0 and per_page > 0 and page * per_page > MAX_RESULT:
        yield f"Maximum result (page * per_page) must be less than {MAX_RESULT}"


def _time_errors(parameters: Parameters, name: str) -> Iterator[str]:
    format_error = (
        f"{_human_name(name)} has an invalid timestamp format. Timestamps should be formatted as 'YYYY-MM-DDThh:mm:ssZ'"
    )
    if name in parameters and _is_nested(parameters, name):
        yield format_error
    for key, value in parameters.items():
        relation, values = _operator(key), value.split(",")
        if _base_name(key) != name:
            continue
        if relation is not None and relation not in OPERATORS:
            yield f"{_human_name(name)} Invalid relational operator: '{relation}'"
        elif relation is not None and len(values) > 1:
            yield f"{_human_name(name)} only accepts one value when using a relational operator"
        else:
            yield from (format_error for text in values if not _is_timestamp(text))


def _time_filters(parameters: Parameters) -> Iterator[TimeFilter]:
    for key, value in parameters.items():
        if _base_name(key).endswith("_ats"):
            column = _base_name(key).removesuffix("s")
            yield TimeFilter(column=column, operator=_operator(key), values=tuple(value.split(",")))


def _is_timestamp(text: str) -> bool:
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text, re.ASCII):
        return False
    try:
        datetime.strptime(text, TIMESTAMP_FORMAT)  # noqa: DTZ007 - only validity matters
    except ValueError:
        return False
    return True


def _parse_integer(parameters: Parameters, name: str, default: int) -> int:
    """Parse a number as Ruby's to_i does: ignore what follows the digits; no digits are 0."""
    if _is_nested(parameters, name):
        return 0
    digits = re.match(r"\s*([+-]?\d+)", parameters.get(name, str(default)), re.ASCII)
    return int(digits[1][:30]) if digits else 0


def _signed_order(parameters: Parameters) -> str | None:
    value = parameters.get("order_by", "")
    return value if not value or value[0] in "+-" else f"+{value}"


def _split_values(text: str) -> tuple[str, ...]:
    return tuple(value.strip() for value in text.split(","))


def _base_name(key: str) -> str:
    return key.split("[", 1)[0]


def _operator(key: str) -> str | None:
    return key[key.index("[") + 1 :].rstrip("]") if "[" in key else None


def _is_nested(parameters: Parameters, name: str) -> bool:
    return any(key.startswith(f"{name}[") for key in parameters)


def _human_name(name: str) -> str:
    return name.replace("_", " ").capitalize()
