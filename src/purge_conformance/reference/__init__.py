"""The reference server: it emulates the part of Cloud Foundry API v3 that a client of a foundation needs."""

from purge_conformance.reference.api.auth import sign_tokens
from purge_conformance.reference.app import create_app
from purge_conformance.reference.registry import behaviour_with
from purge_conformance.reference.serve import serve
from purge_conformance.reference.store.database import open_database

__all__ = ["behaviour_with", "create_app", "open_database", "serve", "sign_tokens"]
