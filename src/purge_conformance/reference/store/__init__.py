"""The database of the reference server, and the changes of its rows."""
