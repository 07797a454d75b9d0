"""What the HTML pages share: templates that escape all text, and the axes of plots.

Jinja2 escapes all text, and `finalize` makes hidden characters visible first. The pages' content security policy allows
no script and no request.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from purge_conformance.evidence.safe_text import clip, visible
from purge_conformance.evidence.words import pluralize

if TYPE_CHECKING:
    from collections.abc import Callable


def environment(**filters: Callable[..., object]) -> jinja2.Environment:
    """Return an environment for the templates of this package, with these filters and those of all pages."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("purge_conformance", "report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_make_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"clip": clip, "pluralize": pluralize} | filters
    return environment


def round_ticks(longest: float) -> tuple[float, ...]:
    """Return four to eleven round numbers from 0 to at least `longest`, in equal steps."""
    rough = (longest or 1.0) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((power * n for n in (5, 2) if power * n <= rough), power)
    return tuple(step * i for i in range(math.ceil((longest or 1.0) / step) + 1))


def _make_visible(value: object) -> object:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
