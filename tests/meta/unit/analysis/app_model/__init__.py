"""Unit tests of `analysis/app_model`."""
