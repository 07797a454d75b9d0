"""Helpers and stubs that the tests share; no fixture is here."""
