"""How a request leaves: authenticated, within its budget, once."""
