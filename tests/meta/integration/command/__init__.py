"""Integration tests: command."""
