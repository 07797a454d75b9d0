"""Procedures against the target; they collect and judge nothing."""
