"""Unit tests of `scenarios`."""
