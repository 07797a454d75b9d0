"""Queries over the evidence, and the functions that judgments assert with: pure, without any request."""
