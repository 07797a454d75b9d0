"""Tests of the way to a target."""
