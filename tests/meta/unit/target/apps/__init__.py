"""Unit tests of `target/apps`."""
