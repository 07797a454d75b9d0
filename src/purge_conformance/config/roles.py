"""Names of roles, as `--token ROLE=SOURCE` gives them."""

from __future__ import annotations

import re

ADMIN = "admin"
EXPIRED = "expired"
ANONYMOUS_ROLE = "none"  # of a request without a credential; no token has it
ROLE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
ADMIN_SCOPE = "cloud_controller.admin"
