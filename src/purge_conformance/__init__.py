"""Conformance suite for Cloud Foundry's purge and reseed of app usage events."""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("purge-conformance")
