"""One run: settings in, verdict out."""
