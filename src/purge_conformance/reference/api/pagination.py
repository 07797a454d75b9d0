"""The pagination object of a list, with its links."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purge_conformance.reference.api.query import ListQuery


def page_to_json(url: str, query: ListQuery, total: int, resources: Sequence[object]) -> dict[str, object]:
    """Return the JSON of a page; an empty list has one page, and a page beyond the last one has a previous one."""
    pages = max(1, -(-total // query.per_page))
    return {
        "pagination": {
            "total_results": total,
            "total_pages": pages,
            "first": _link(url, query, 1),
            "last": _link(url, query, pages),
            "next": _link(url, query, query.page + 1) if query.page < pages else None,
            "previous": _link(url, query, query.page - 1) if query.page > 1 else None,
        },
        "resources": list(resources),
    }


def _link(url: str, query: ListQuery, page: int) -> dict[str, str]:
    parameters = {**query.link_parameters, "page": str(page), "per_page": str(query.per_page)}
    return {"href": f"{url}?{urlencode(sorted(parameters.items()))}"}
