"""Labels: reading them from a body, selecting rows by them, and their JSON."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, ColumnElement, and_, func, not_, type_coerce

from purge_conformance.reference.api import errors as problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from purge_conformance.reference.store.tables import HasLabels

LABEL_SELECTOR = "label_selector"
WORD = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
DOMAIN = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
KEY = re.compile(rf"(?:{DOMAIN}/)?{WORD}")
VALUE = re.compile(f"(?:{WORD})?")
RESERVED = "cloudfoundry.org/"
OUTSIDE_PARENTHESES = re.compile(r",(?![^(]*\))")
IN_SET = re.compile(r"(\S+)\s+(in|notin)\s*\((.*)\)")
EQUAL = re.compile(r"([^=!\s]+)\s*(==|=|!=)\s*([^=!\s]*)")


def read_labels(body: Mapping[str, Any]) -> dict[str, str]:
    """Return `metadata.labels`.

    Raises:
        ApiError: 422 for a key or a value that is not valid.
    """
    metadata = body.get("metadata", {})
    labels = metadata.get("labels", {}) if isinstance(metadata, dict) else None
    if not isinstance(labels, dict):
        raise problems.unprocessable("'labels' is not an object")
    if errors := tuple(_label_errors(labels)):
        raise problems.unprocessable(*errors)
    return {key: value for key, value in labels.items() if value is not None}


def _label_errors(labels: Mapping[str, object]) -> Iterator[str]:
    for key, value in labels.items():
        if not KEY.fullmatch(key) or key.lower().startswith(RESERVED):
            yield f"label key error: '{key}' is no key"
        if value is not None and not (isinstance(value, str) and VALUE.fullmatch(value)):
            yield f"label value error: the value of '{key}' is none"


def metadata_to_json(row: HasLabels) -> dict[str, object]:
    """Return the JSON of the metadata of a row."""
    return {"labels": row.labels, "annotations": {}}


def label_condition(table: type[HasLabels]) -> Callable[[Sequence[str]], ColumnElement[bool]]:
    """Return a function that returns the condition of a label selector, split at its commas, on the rows of a table."""

    def condition(parts: Sequence[str]) -> ColumnElement[bool]:
        return and_(
            *(_requirement_condition(table, part.strip()) for part in OUTSIDE_PARENTHESES.split(",".join(parts)))
        )

    return condition


def _requirement_condition(table: type[HasLabels], requirement: str) -> ColumnElement[bool]:
    if match := IN_SET.fullmatch(requirement):
        key, is_in, values = match[1], match[2] == "in", [value.strip() for value in match[3].split(",")]
    elif match := EQUAL.fullmatch(requirement):
        key, is_in, values = match[1], match[2] != "!=", [match[3]]
    else:
        label = _label_value(table, requirement.removeprefix("!").strip())
        return label.is_(None) if requirement.startswith("!") else label.is_not(None)
    matches = func.coalesce(_label_value(table, key), "").in_(values) & _label_value(table, key).is_not(None)
    return matches if is_in else not_(matches)


def _label_value(table: type[HasLabels], key: str) -> ColumnElement[str]:
    if not KEY.fullmatch(key):
        raise problems.unprocessable("The label_selector is invalid")
    label: ColumnElement[str] = type_coerce(table.labels, JSON)[key].as_string()
    return label
