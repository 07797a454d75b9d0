"""Random sequences of starts, stops, scalings, deletions and purges, and the model that says what follows from them."""
