"""Tests that start no process; the folders mirror `src/purge_conformance`."""
