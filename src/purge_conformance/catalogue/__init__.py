"""What must hold, and the API's own names; the only reader of `spec/`."""

from purge_conformance.catalogue.loader import (
    OPENAPI,
    digests,
    document,
    documented_statuses,
    faults,
    parse_profiles,
    read_text,
    requirement_set,
    requirements,
    select_requirements,
    server_profiles,
    variants,
)

__all__ = [
    "OPENAPI",
    "digests",
    "document",
    "documented_statuses",
    "faults",
    "parse_profiles",
    "read_text",
    "requirement_set",
    "requirements",
    "select_requirements",
    "server_profiles",
    "variants",
]
