"""What a run records, its journal on disk, and redaction."""
