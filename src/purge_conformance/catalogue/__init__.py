"""What must hold, and the API's own names; the only reader of `spec/`."""

from purge_conformance.catalogue.loader import (
    OPENAPI,
    assumed_by,
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
    with_prerequisites,
)

__all__ = [
    "OPENAPI",
    "assumed_by",
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
    "with_prerequisites",
]
