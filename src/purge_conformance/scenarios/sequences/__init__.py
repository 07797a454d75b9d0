"""Random sequences of operations: generated, executed, shortened."""
