"""Integration tests: reference."""
