"""Tokens by role: where each comes from, and how it is renewed before its end."""
