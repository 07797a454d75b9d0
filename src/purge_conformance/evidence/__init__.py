"""What was seen: records, their journal on disk, redaction."""
