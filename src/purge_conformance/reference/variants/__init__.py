"""Ways in which the reference server differs from the plain one and still conforms."""
