from __future__ import annotations

from types import SimpleNamespace

import pytest

from recado.jid import JID


@pytest.fixture(scope="session")
def who() -> SimpleNamespace:
    """Invented people: us (this device is number 7), Bia, and a group."""
    return SimpleNamespace(
        own=JID.parse("550000000001:7@s.whatsapp.net"),
        own_lid=JID.parse("100000000000001:7@lid"),
        bia=JID.parse("550000000002@s.whatsapp.net"),
        bia_lid=JID.parse("100000000000002@lid"),
        group=JID.parse("120000000000000001@g.us"),
    )
