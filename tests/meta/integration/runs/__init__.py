"""Integration tests: runs."""
