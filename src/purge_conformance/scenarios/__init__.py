"""Short procedures that send requests to the target and judge nothing; `definitions.py` lists them."""
