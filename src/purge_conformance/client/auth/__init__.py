"""Tokens per role: where each comes from, what it claims, and how it is renewed before it expires."""
