"""Webhook bodies as Meta writes them, for tests: items that are whole by themselves, put together into any batch."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

WABA = "102290129340398"
NUMBER = "106540352242922"
PHONE = "15550783881"
ANA = "5511955550101"
ANA_ID = "BR.1502576394655843"


def contact(phone: str | None = ANA, user_id: str | None = ANA_ID, name: str = "Ana") -> dict[str, Any]:
    said: dict[str, Any] = {"profile": {"name": name}}
    if phone:
        said["wa_id"] = phone
    if user_id:
        said["user_id"] = user_id
    return said


def message(
    id: str = "wamid.A1",
    kind: str = "text",
    body: Any = None,
    *,
    phone: str | None = ANA,
    user_id: str | None = ANA_ID,
    at: int = 1_790_000_000,
    **more: Any,
) -> dict[str, Any]:
    said: dict[str, Any] = {"id": id, "timestamp": str(at), "type": kind, **more}
    said[kind] = {"body": "oi"} if body is None else body
    if phone:
        said["from"] = phone
    if user_id:
        said["from_user_id"] = user_id
    return said


def status(
    id: str = "wamid.S1", word: str = "delivered", *, at: int = 1_790_000_100, to: str | None = ANA, **more: Any
) -> dict[str, Any]:
    said: dict[str, Any] = {"id": id, "status": word, "timestamp": str(at), **more}
    if to:
        said["recipient_id"] = to
    return said


def value(
    *, messages: Iterable[Any] = (), statuses: Iterable[Any] = (), contacts: Iterable[Any] = (), **more: Any
) -> dict[str, Any]:
    said: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": PHONE, "phone_number_id": NUMBER},
        **more,
    }
    for name, items in (("contacts", contacts), ("messages", messages), ("statuses", statuses)):
        listed = list(items)
        if listed:
            said[name] = listed
    return said


def body(*values: dict[str, Any], field: str = "messages", waba: str = WABA, by_entry: bool = False) -> bytes:
    """One entry with many changes, or as many entries."""
    changes = [{"field": field, "value": each} for each in values]
    entries = [{"id": waba, "changes": [each]} for each in changes] if by_entry else [{"id": waba, "changes": changes}]
    return json.dumps({"object": "whatsapp_business_account", "entry": entries}).encode()
