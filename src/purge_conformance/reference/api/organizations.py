"""Organizations and spaces: list, get, create, rename, delete."""

from __future__ import annotations

from http import HTTPStatus

from sqlalchemy import select

from purge_conformance.reference.api import errors as problems
from purge_conformance.reference.api.bodies import read_name, read_new_name, read_object, read_related_guid
from purge_conformance.reference.api.labels import LABEL_SELECTOR, label_condition, metadata_to_json, read_labels
from purge_conformance.reference.api.pagination import page_to_json
from purge_conformance.reference.api.query import ListRules
from purge_conformance.reference.api.visibility import fetch_page, find_resource, job_reply, require_admin
from purge_conformance.reference.behaviour import Call, Reply
from purge_conformance.reference.store import transitions as store
from purge_conformance.reference.store.database import find_by_guid
from purge_conformance.reference.store.lists import Listing
from purge_conformance.reference.store.tables import Organization, Space

ORGANIZATIONS_PATH, SPACES_PATH = "/v3/organizations", "/v3/spaces"
QUOTA_GUID = "0d5e0bd6-1e0b-4d0f-8f8b-6f4f5a8f3a11"
ORDERS = ("created_at", "updated_at", "name")
ORGANIZATIONS = Listing(
    table=Organization,
    filters={
        "names": Organization.name.in_,
        "guids": Organization.guid.in_,
        LABEL_SELECTOR: label_condition(Organization),
    },
    rules=ListRules(filters=("names", "guids", LABEL_SELECTOR), orders=ORDERS),
)
SPACES = Listing(
    table=Space,
    filters={
        "names": Space.name.in_,
        "guids": Space.guid.in_,
        LABEL_SELECTOR: label_condition(Space),
        "organization_guids": Space.organization_guid.in_,
    },
    rules=ListRules(filters=("names", "guids", "organization_guids", LABEL_SELECTOR), orders=ORDERS),
)


def list_organizations(call: Call) -> Reply:
    """`GET /v3/organizations`."""
    query, total, rows = fetch_page(call, ORGANIZATIONS)
    resources = [organization_to_json(row, call) for row in rows]
    return Reply(body=page_to_json(call.url(ORGANIZATIONS_PATH), query, total, resources))


def get_organization(call: Call) -> Reply:
    """`GET /v3/organizations/{guid}`."""
    return Reply(body=organization_to_json(find_resource(call, Organization, resource_name="Organization"), call))


def create_organization(call: Call) -> Reply:
    """`POST /v3/organizations`; its name must be unique."""
    require_admin(call)
    body = read_object(call.body, ("name", "suspended", "metadata"))
    name, labels = read_name(body), read_labels(body)
    _require_new_organization_name(call, name)
    organization = Organization(name=name, labels=labels)
    call.session.add(organization)
    call.session.flush()
    return Reply(status=HTTPStatus.CREATED, body=organization_to_json(organization, call))


def update_organization(call: Call) -> Reply:
    """`PATCH /v3/organizations/{guid}`: rename the organization."""
    require_admin(call)
    organization = find_resource(call, Organization, resource_name="Organization")
    name = read_new_name(call.body, organization.name)
    if name != organization.name:
        _require_new_organization_name(call, name)
    organization.name = name
    call.session.flush()
    return Reply(body=organization_to_json(organization, call))


def delete_organization(call: Call) -> Reply:
    """`DELETE /v3/organizations/{guid}`, with its spaces and apps."""
    require_admin(call)
    organization = find_resource(call, Organization, resource_name="Organization")
    store.delete_organization(call.session, organization, call.behaviour.record)
    return job_reply(call, "organization.delete")


def list_spaces(call: Call) -> Reply:
    """`GET /v3/spaces`."""
    query, total, rows = fetch_page(call, SPACES)
    return Reply(body=page_to_json(call.url(SPACES_PATH), query, total, [space_to_json(row, call) for row in rows]))


def get_space(call: Call) -> Reply:
    """`GET /v3/spaces/{guid}`."""
    return Reply(body=space_to_json(find_resource(call, Space, resource_name="Space"), call))


def create_space(call: Call) -> Reply:
    """`POST /v3/spaces`; its name must be unique in its organization."""
    require_admin(call)
    body = read_object(call.body, ("name", "relationships", "metadata"))
    name = read_name(body)
    organization = find_by_guid(call.session, Organization, read_related_guid(body, "organization"))
    if organization is None:
        detail = "Invalid organization. Ensure the organization exists and you have access to it."
        raise problems.unprocessable(detail)
    _require_new_space_name(organization, name)
    space = Space(name=name, organization=organization, labels=read_labels(body))
    call.session.add(space)
    call.session.flush()
    return Reply(status=HTTPStatus.CREATED, body=space_to_json(space, call))


def update_space(call: Call) -> Reply:
    """`PATCH /v3/spaces/{guid}`: rename the space."""
    require_admin(call)
    space = find_resource(call, Space, resource_name="Space")
    name = read_new_name(call.body, space.name)
    if name != space.name:
        _require_new_space_name(space.organization, name)
    space.name = name
    call.session.flush()
    return Reply(body=space_to_json(space, call))


def delete_space(call: Call) -> Reply:
    """`DELETE /v3/spaces/{guid}`, with its apps."""
    require_admin(call)
    store.delete_space(call.session, find_resource(call, Space, resource_name="Space"), call.behaviour.record)
    return job_reply(call, "space.delete")


def _require_new_organization_name(call: Call, name: str) -> None:
    if call.session.scalar(select(Organization).where(Organization.name == name)):
        raise problems.unprocessable(f"Organization '{name}' already exists.")


def _require_new_space_name(organization: Organization, name: str) -> None:
    if name in {space.name for space in organization.spaces}:
        raise problems.unprocessable("Name must be unique per organization")


def organization_to_json(organization: Organization, call: Call) -> dict[str, object]:
    """Return the JSON of an organization."""
    path = f"{ORGANIZATIONS_PATH}/{organization.guid}"
    return {
        "guid": organization.guid,
        "created_at": organization.created_at,
        "updated_at": organization.updated_at,
        "name": organization.name,
        "suspended": organization.suspended,
        "relationships": {"quota": {"data": {"guid": QUOTA_GUID}}},
        "metadata": metadata_to_json(organization),
        "links": {"self": {"href": call.url(path)}},
    }


def space_to_json(space: Space, call: Call) -> dict[str, object]:
    """Return the JSON of a space."""
    return {
        "guid": space.guid,
        "created_at": space.created_at,
        "updated_at": space.updated_at,
        "name": space.name,
        "suspended": False,
        "relationships": {"organization": {"data": {"guid": space.organization_guid}}, "quota": {"data": None}},
        "metadata": metadata_to_json(space),
        "links": {
            "self": {"href": call.url(f"{SPACES_PATH}/{space.guid}")},
            "organization": {"href": call.url(f"{ORGANIZATIONS_PATH}/{space.organization_guid}")},
        },
    }
