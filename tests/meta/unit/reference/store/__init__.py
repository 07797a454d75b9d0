"""Tests of `reference/store`."""
