"""Unit tests of `analysis.script`."""
