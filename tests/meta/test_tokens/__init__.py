"""Tests of tokens: where they come from, and that they are renewed in time."""
