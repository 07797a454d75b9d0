"""A program `cf` that renews a login as the cf CLI does."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


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
