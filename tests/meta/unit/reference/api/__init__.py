"""Tests of `reference/api`."""
