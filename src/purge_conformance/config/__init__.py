"""What the user asked for, as values; sends no request."""
