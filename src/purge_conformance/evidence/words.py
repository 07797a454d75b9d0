"""Words that every message shares."""

from __future__ import annotations


def pluralize(number: int, noun: str) -> str:
    """Return for example `1 purge` or `2 purges`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
