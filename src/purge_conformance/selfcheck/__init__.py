"""The suite is checked by being wrong on purpose: each fault must be found, and no legal variant accused."""
