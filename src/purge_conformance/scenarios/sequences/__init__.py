"""Random sequences of operations: generated, played, shrunk."""
