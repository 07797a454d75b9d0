"""Tests of secrets: none stands in anything that is written or shown."""
