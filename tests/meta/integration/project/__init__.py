"""Packaging, published files and documented output."""
