"""A number at an emulated Cloud API, and what the API tests have; files wait for nothing but hints."""

from __future__ import annotations

from tests.gateway.api.conftest import settings
from tests.gateway.providers.meta.conftest import cloud, desk, meta_settings, new_desk, serving

__all__ = ["cloud", "desk", "meta_settings", "new_desk", "serving", "settings"]
