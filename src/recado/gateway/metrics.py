"""
What the gateway counts, for Prometheus: every metric is declared here and nowhere else, so this page is the list. No
label holds a number, a name or a text; a mentorado is never a label either, for there may be thousands.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry

REGISTRY = CollectorRegistry()
