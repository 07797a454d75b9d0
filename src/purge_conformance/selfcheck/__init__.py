"""Mutation testing of the suite: it must kill every fault of the reference server, and fail no variant."""
