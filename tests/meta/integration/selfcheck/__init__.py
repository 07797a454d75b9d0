"""Integration tests: selfcheck."""
