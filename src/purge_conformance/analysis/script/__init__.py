"""Findings as shell scripts that set up what shows them, purge, look, and clean up."""
