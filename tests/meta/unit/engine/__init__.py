"""Unit tests of `engine`."""
