"""Ways in which the reference server breaks a requirement."""
