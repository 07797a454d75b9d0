"""Unit tests of `client/auth`."""
