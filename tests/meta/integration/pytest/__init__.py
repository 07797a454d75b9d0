"""Tests of pytest."""
