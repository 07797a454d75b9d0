"""Integration tests: shell."""
