"""Tests of `reference/faults`."""
