"""Tests of the reference server: what it answers without faults, and that each fault shows."""
