"""Organizations and spaces: list, get, create, delete."""

from __future__ import annotations

from sqlalchemy import select

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.bodies import fields, name_of, related_guid
from purge_conformance.reference.api.labels import PARAMETER, labels_of, metadata, selected
from purge_conformance.reference.api.pagination import paginated
from purge_conformance.reference.api.query import ListRules
from purge_conformance.reference.api.visibility import job_for, named_resource, requested_page, require_admin
from purge_conformance.reference.behaviour import Call, Reply
from purge_conformance.reference.store import transitions as store
from purge_conformance.reference.store.database import Listing, by_guid
from purge_conformance.reference.store.tables import Organization, Space

ORGANIZATIONS_PATH, SPACES_PATH = "/v3/organizations", "/v3/spaces"
QUOTA_GUID = "0d5e0bd6-1e0b-4d0f-8f8b-6f4f5a8f3a11"
ORDERS = ("created_at", "updated_at", "name")
ORGANIZATIONS = Listing(
    table=Organization,
    filters={"names": Organization.name.in_, "guids": Organization.guid.in_, PARAMETER: selected(Organization)},
    rules=ListRules(filters=("names", "guids", PARAMETER), orders=ORDERS),
)
SPACES = Listing(
    table=Space,
    filters={
        "names": Space.name.in_,
        "guids": Space.guid.in_,
        PARAMETER: selected(Space),
        "organization_guids": Space.organization_guid.in_,
    },
    rules=ListRules(filters=("names", "guids", "organization_guids", PARAMETER), orders=ORDERS),
)


def list_organizations(call: Call) -> Reply:
    """Show one page of the organizations."""
    query, total, rows = requested_page(call, ORGANIZATIONS)
    resources = [shown_organization(row, call) for row in rows]
    return Reply(body=paginated(call.url(ORGANIZATIONS_PATH), query, total, resources))


def get_organization(call: Call) -> Reply:
    """Show one organization."""
    return Reply(body=shown_organization(named_resource(call, Organization, word="Organization"), call))


def create_organization(call: Call) -> Reply:
    """Make an organization with a name of its own."""
    require_admin(call)
    body = fields(call.body, ("name", "suspended", "metadata"))
    name, labels = name_of(body), labels_of(body)
    if call.session.scalar(select(Organization).where(Organization.name == name)):
        raise problems.unprocessable(f"Organization '{name}' already exists.")
    organization = Organization(name=name, labels=labels)
    call.session.add(organization)
    call.session.flush()
    return Reply(status=201, body=shown_organization(organization, call))


def delete_organization(call: Call) -> Reply:
    """Remove an organization with its spaces and apps."""
    require_admin(call)
    organization = named_resource(call, Organization, word="Organization")
    store.delete_organization(call.session, organization, call.behaviour.record)
    return job_for(call, "organization.delete")


def list_spaces(call: Call) -> Reply:
    """Show one page of the spaces."""
    query, total, rows = requested_page(call, SPACES)
    return Reply(body=paginated(call.url(SPACES_PATH), query, total, [shown_space(row, call) for row in rows]))


def get_space(call: Call) -> Reply:
    """Show one space."""
    return Reply(body=shown_space(named_resource(call, Space, word="Space"), call))


def create_space(call: Call) -> Reply:
    """Make a space in an organization, with a name of its own in there."""
    require_admin(call)
    body = fields(call.body, ("name", "relationships", "metadata"))
    name = name_of(body)
    organization = by_guid(call.session, Organization, related_guid(body, "organization"))
    if organization is None:
        detail = "Invalid organization. Ensure the organization exists and you have access to it."
        raise problems.unprocessable(detail)
    if name in {space.name for space in organization.spaces}:
        raise problems.unprocessable("Name must be unique per organization")
    space = Space(name=name, organization=organization, labels=labels_of(body))
    call.session.add(space)
    call.session.flush()
    return Reply(status=201, body=shown_space(space, call))


def delete_space(call: Call) -> Reply:
    """Remove a space with its apps."""
    require_admin(call)
    store.delete_space(call.session, named_resource(call, Space, word="Space"), call.behaviour.record)
    return job_for(call, "space.delete")


def shown_organization(organization: Organization, call: Call) -> dict[str, object]:
    """Show an organization as JSON."""
    path = f"{ORGANIZATIONS_PATH}/{organization.guid}"
    return {
        "guid": organization.guid,
        "created_at": organization.created_at,
        "updated_at": organization.updated_at,
        "name": organization.name,
        "suspended": organization.suspended,
        "relationships": {"quota": {"data": {"guid": QUOTA_GUID}}},
        "metadata": metadata(organization),
        "links": {"self": {"href": call.url(path)}},
    }


def shown_space(space: Space, call: Call) -> dict[str, object]:
    """Show a space as JSON."""
    return {
        "guid": space.guid,
        "created_at": space.created_at,
        "updated_at": space.updated_at,
        "name": space.name,
        "suspended": False,
        "relationships": {"organization": {"data": {"guid": space.organization_guid}}, "quota": {"data": None}},
        "metadata": metadata(space),
        "links": {
            "self": {"href": call.url(f"{SPACES_PATH}/{space.guid}")},
            "organization": {"href": call.url(f"{ORGANIZATIONS_PATH}/{space.organization_guid}")},
        },
    }
