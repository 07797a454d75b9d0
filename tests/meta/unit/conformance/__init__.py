"""Unit tests of the judgments."""
