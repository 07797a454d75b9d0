"""What must hold, and the API's own names; the only reader of `spec/`."""

from purge_conformance.catalogue.loader import (
    OPENAPI,
    digests,
    document,
    documented_statuses,
    faults,
    makes,
    profiles,
    requirements,
    selected,
    text,
    variants,
)

__all__ = [
    "OPENAPI",
    "digests",
    "document",
    "documented_statuses",
    "faults",
    "makes",
    "profiles",
    "requirements",
    "selected",
    "text",
    "variants",
]
