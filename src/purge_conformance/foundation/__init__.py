"""What is needed of the target besides the resource under judgment: apps to start, stop and scale."""

from purge_conformance.foundation.apps import Foundation

__all__ = ["Foundation"]
