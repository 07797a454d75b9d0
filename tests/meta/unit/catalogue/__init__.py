"""Unit tests of `catalogue`."""
