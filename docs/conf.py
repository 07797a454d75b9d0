"""Sphinx builds the documentation from this; `tox -e docs` runs it with each warning as an error."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "purge-conformance"
extensions = ["myst_parser", "command_output", "requirement_pages", "scenario_table", "schema_fields"]
exclude_patterns = ["_build", "README.md"]
html_theme = "furo"
html_title = "purge-conformance"
html_static_path = ["_static"]
html_css_files = ["wide-tables.css"]
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3  # so that a link to a heading is checked, and works on GitHub as well
nitpicky = True
smartquotes = False  # a quote of the documentation stays as it is
