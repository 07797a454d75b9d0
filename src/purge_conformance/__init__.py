"""Conformance suite for Cloud Foundry's purge and reseed of app usage events.

`run`, `load_report` and `compare`, and the types `Report` and `Requirement`, are what Python programs use.
"""

from __future__ import annotations

from importlib import import_module

# Name -> where it is. Each is imported when it is used: that takes longer than a signal at the start may wait.
_PLACES = {
    "Report": ("purge_conformance.report.model", "Run"),
    "Requirement": ("purge_conformance.catalogue.model", "Requirement"),
    "compare": ("purge_conformance.engine.api", "compare"),
    "load_report": ("purge_conformance.engine.api", "load_report"),
    "run": ("purge_conformance.engine.api", "run"),
}
__all__ = ["Report", "Requirement", "__version__", "compare", "load_report", "run"]


def __getattr__(name: str) -> object:
    """Return a name of the interface, or the version."""
    if name == "__version__":
        return import_module("importlib.metadata").version("purge-conformance")
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PLACES[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    """Return the names of the interface."""
    return list(__all__)
