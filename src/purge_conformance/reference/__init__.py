"""The reference server: it emulates the part of Cloud Foundry API v3 that a client needs to use it as a foundation."""

from purge_conformance.reference.app import create_app
from purge_conformance.reference.auth import tokens
from purge_conformance.reference.changes import behaviour_with
from purge_conformance.reference.database import opened_database
from purge_conformance.reference.server import serve

__all__ = ["behaviour_with", "create_app", "opened_database", "serve", "tokens"]
