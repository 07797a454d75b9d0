"""Unit tests of `evidence`."""
