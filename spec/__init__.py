"""The contract and the requirements: data only."""
