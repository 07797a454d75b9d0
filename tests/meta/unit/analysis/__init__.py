"""Unit tests of `analysis`."""
