"""The judgments: one small test a requirement."""
