from purge_conformance.catalogue.model import Requirement as Requirement
from purge_conformance.engine.api import compare as compare
from purge_conformance.engine.api import load_report as load_report
from purge_conformance.engine.api import run as run
from purge_conformance.report.model import Run as Report

__version__: str
__all__ = ["Report", "Requirement", "__version__", "compare", "load_report", "run"]
