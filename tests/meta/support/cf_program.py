"""A program `cf` that renews a login as the cf CLI does."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from purge_conformance.client.auth.cf_cli import CfCli

if TYPE_CHECKING:
    from pathlib import Path

    from purge_conformance.config.settings import Target


# As the cf CLI does: it renews its login, writes the new refresh token to its file, and prints the access token.
CF_PROGRAM = """#!{python}
import base64, json, os, pathlib, sys, urllib.parse, urllib.request
assert sys.argv[1:] == ["oauth-token"], sys.argv
path = pathlib.Path(os.environ["CF_HOME"], ".cf", "config.json")
held = json.loads(path.read_text())
client = held["UAAOAuthClient"] + ":" + held["UAAOAuthClientSecret"]
form = {{"grant_type": "refresh_token", "refresh_token": held["RefreshToken"]}}
if not held["RefreshToken"]:
    form = {{"grant_type": "client_credentials"}}
headers = {{"Authorization": "Basic " + base64.b64encode(client.encode()).decode()}}
asked = urllib.request.Request(
    held["UaaEndpoint"] + "/oauth/token", urllib.parse.urlencode(form).encode(), headers
)
found = json.load(urllib.request.urlopen(asked))
held["AccessToken"] = "bearer " + found["access_token"]
held["RefreshToken"] = found.get("refresh_token", "")
path.write_text(json.dumps(held, indent=2))
print(held["AccessToken"])
"""


def install_cf_program(folder: Path) -> str:
    """Install a program `cf` in a folder, and return a PATH that begins with it."""
    program = folder / "bin" / "cf"
    program.parent.mkdir(exist_ok=True)
    program.write_text(CF_PROGRAM.format(python=sys.executable), encoding="utf-8")
    program.chmod(0o755)
    return f"{program.parent}{os.pathsep}{os.environ['PATH']}"


# As `cf login` of version 8 writes it: every key, in its order, indented by two spaces.
CONFIG = {
    "AccessToken": "",
    "APIVersion": "3.195.0",
    "AsyncTimeout": 0,
    "AuthorizationEndpoint": "https://login.sys.example.org",
    "CFOnK8s": {"Enabled": False, "AuthInfo": ""},
    "ColorEnabled": "",
    "ConfigVersion": 4,
    "DopplerEndPoint": "wss://doppler.sys.example.org:443",
    "Locale": "",
    "LogCacheEndPoint": "https://log-cache.sys.example.org",
    "MinCLIVersion": "",
    "MinRecommendedCLIVersion": "",
    "NetworkPolicyV1Endpoint": "https://api.sys.example.org/networking/v1/external",
    "OrganizationFields": {"GUID": "7b5d2d3c-2f9b-4c0e-8f57-9d1b3e1b2f7a", "Name": "system"},
    "PluginRepos": [{"Name": "CF-Community", "URL": "https://plugins.cloudfoundry.org"}],
    "RefreshToken": "",
    "RoutingAPIEndpoint": "https://api.sys.example.org/routing",
    "SpaceFields": {"GUID": "", "Name": "", "AllowSSH": False},
    "SSHOAuthClient": "ssh-proxy",
    "SSLDisabled": False,
    "Target": "https://api.sys.example.org",
    "Trace": "",
    "UaaEndpoint": "https://uaa.sys.example.org",
    "UAAGrantType": "",
    "UAAOAuthClient": "cf",
    "UAAOAuthClientSecret": "",
}


def write_login(folder: Path, target: Target, login: str, **changes: object) -> CfCli:
    """Write a config.json with these changes to a folder, and return the source that reads it."""
    path = folder / ".cf" / "config.json"
    path.parent.mkdir(exist_ok=True)
    values = CONFIG | {"Target": target.url, "UaaEndpoint": login} | changes
    path.write_text(json.dumps(values, indent=2), encoding="utf-8")
    return CfCli("admin", path, target, {"CF_HOME": str(folder), "PATH": install_cf_program(folder)})
