"""Conformance suite for Cloud Foundry's purge and reseed of app usage events."""

from __future__ import annotations

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    """Return the version only when it is needed: reading it takes longer than a signal at the start may wait."""
    if name != "__version__":
        raise AttributeError(name)
    from importlib.metadata import version  # noqa: PLC0415 -- see above

    return version("purge-conformance")
