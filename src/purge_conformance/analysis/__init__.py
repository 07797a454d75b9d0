"""What judgments look at: a purge, an attempt or a reading between two looks, a page, a trace through the run."""
