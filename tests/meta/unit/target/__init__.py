"""Unit tests of `target`."""
