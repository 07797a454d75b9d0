"""The routes: method and path of each operation."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from purge_conformance.reference.api import apps, droplets, organizations, processes, root
from purge_conformance.reference.api import usage_events as events

if TYPE_CHECKING:
    from collections.abc import Mapping

    from purge_conformance.reference.behaviour import Handler

OPEN_ROUTES: Mapping[tuple[str, str], Handler] = {
    ("GET", "/"): root.get_root,
    ("GET", "/v3"): root.get_v3_root,
    ("GET", "/v3/info"): root.get_info,
}
ROUTES: Mapping[tuple[str, str], Handler] = {
    ("GET", events.PATH): events.list_events,
    ("GET", f"{events.PATH}/{{guid}}"): events.get_event,
    ("POST", events.PURGE_PATH): events.purge_events,
    ("GET", "/v3/jobs/{guid}"): root.get_job,
    ("GET", "/v3/organizations"): organizations.list_organizations,
    ("POST", "/v3/organizations"): organizations.create_organization,
    ("GET", "/v3/organizations/{guid}"): organizations.get_organization,
    ("PATCH", "/v3/organizations/{guid}"): organizations.update_organization,
    ("DELETE", "/v3/organizations/{guid}"): organizations.delete_organization,
    ("GET", "/v3/spaces"): organizations.list_spaces,
    ("POST", "/v3/spaces"): organizations.create_space,
    ("GET", "/v3/spaces/{guid}"): organizations.get_space,
    ("PATCH", "/v3/spaces/{guid}"): organizations.update_space,
    ("DELETE", "/v3/spaces/{guid}"): organizations.delete_space,
    ("GET", "/v3/apps"): apps.list_apps,
    ("POST", "/v3/apps"): apps.create_app,
    ("GET", "/v3/apps/{guid}"): apps.get_app,
    ("PATCH", "/v3/apps/{guid}"): apps.update_app,
    ("DELETE", "/v3/apps/{guid}"): apps.delete_app,
    ("POST", "/v3/apps/{guid}/actions/start"): apps.start_app,
    ("POST", "/v3/apps/{guid}/actions/stop"): apps.stop_app,
    ("POST", "/v3/apps/{guid}/actions/restart"): apps.restart_app,
    ("GET", "/v3/apps/{guid}/droplets/current"): droplets.get_current_droplet,
    ("PATCH", "/v3/apps/{guid}/relationships/current_droplet"): droplets.set_current_droplet,
    ("POST", "/v3/packages"): droplets.create_package,
    ("GET", "/v3/packages/{guid}"): droplets.get_package,
    ("POST", "/v3/builds"): droplets.create_build,
    ("GET", "/v3/builds/{guid}"): droplets.get_build,
    ("GET", "/v3/droplets"): droplets.list_droplets,
    ("POST", "/v3/droplets"): droplets.create_droplet,
    ("GET", "/v3/droplets/{guid}"): droplets.get_droplet,
    ("POST", "/v3/droplets/{guid}/upload"): droplets.upload_droplet,
    ("GET", "/v3/apps/{guid}/processes"): processes.list_app_processes,
    ("GET", "/v3/apps/{guid}/processes/{type}"): processes.get_app_process,
    ("POST", "/v3/apps/{guid}/processes/{type}/actions/scale"): processes.scale_app_process,
    ("GET", "/v3/processes"): processes.list_processes,
    ("GET", "/v3/processes/{guid}"): processes.get_process,
    ("POST", "/v3/processes/{guid}/actions/scale"): processes.scale_process,
}


def _group_routes() -> Mapping[tuple[str, int], list[tuple[re.Pattern[str], str]]]:
    """Group the routes by method and number of slashes, so that few patterns are tried per request."""
    routes = defaultdict(list)
    for (method, path), handler in (*OPEN_ROUTES.items(), *ROUTES.items()):
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
        routes[method, path.count("/")].append((pattern, handler.__name__))
    return routes


ROUTES_BY_SHAPE = _group_routes()


def find_operation(method: str, path: str) -> tuple[str, Mapping[str, str]]:
    """Return the operation of a request and the parameters in its path; HEAD is routed like GET."""
    for pattern, operation in ROUTES_BY_SHAPE.get(("GET" if method == "HEAD" else method, path.count("/")), ()):
        if match := pattern.fullmatch(path):
            return operation, match.groupdict()
    return root.unknown_request.__name__, {}
