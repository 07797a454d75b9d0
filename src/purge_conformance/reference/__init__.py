"""The reference server: it emulates the part of Cloud Foundry API v3 that a client needs to use it as a foundation."""

from purge_conformance.reference.api.auth import tokens
from purge_conformance.reference.app import create_app
from purge_conformance.reference.registry import behaviour_with
from purge_conformance.reference.serve import serve
from purge_conformance.reference.store.database import opened_database

__all__ = ["behaviour_with", "create_app", "opened_database", "serve", "tokens"]
