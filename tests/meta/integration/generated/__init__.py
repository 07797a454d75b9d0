"""Integration tests: generated."""
