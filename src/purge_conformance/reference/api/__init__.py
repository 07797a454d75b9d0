"""The endpoints of the reference server."""
