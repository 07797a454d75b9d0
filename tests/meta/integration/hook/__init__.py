"""Integration tests: hook."""
