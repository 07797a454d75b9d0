"""The database of the reference server, and what happens in it."""
