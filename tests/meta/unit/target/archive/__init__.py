"""Unit tests of `target/archive`."""
