"""Unit tests of `target/doctor`."""
