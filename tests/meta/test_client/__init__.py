"""Tests of the client: what it sends, reads, and sends again."""
