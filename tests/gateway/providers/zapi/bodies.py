"""Callbacks as Z-API's documentation shows them, with invented numbers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

AT = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)
INSTANCE = "3C67AB641C8AA0412F6A2242B4E23AC7"
CLARA, BETO, BETO_LID = "550000000001", "550000000002", "81896604192873@lid"
CLARA_LID = "90000000000001@lid"
SENT = 1795176000  # 2026-11-20 12:00:00 UTC
GROUP = "120363019502650977-group"


def received(content: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "isStatusReply": False,
        "senderLid": BETO_LID,
        "connectedPhone": CLARA,
        "waitingMessage": False,
        "isEdit": False,
        "isGroup": False,
        "isNewsletter": False,
        "instanceId": INSTANCE,
        "messageId": "A20DA9C0183A2D35A260F53F5D2B9244",
        "phone": BETO,
        "fromMe": False,
        "momment": SENT * 1000,
        "status": "RECEIVED",
        "chatName": "Beto",
        "senderPhoto": "https://example.org/beto.jpg",
        "senderName": "Beto",
        "participantPhone": None,
        "participantLid": None,
        "photo": None,
        "broadcast": False,
        "forwarded": False,
        "type": "ReceivedCallback",
        **({"text": {"message": "oi"}} if content is None else content),
        **changes,
    }


def echo(text: str, id: str, *, by_api: bool = True, **changes: Any) -> dict[str, Any]:
    own = {"fromMe": True, "fromApi": by_api, "senderLid": CLARA_LID, "chatLid": BETO_LID, "senderName": "Clara"}
    return received({"text": {"message": text}}, messageId=id, status="SENT", **(own | changes))


def status(word: str, *ids: str, **changes: Any) -> dict[str, Any]:
    return {
        "instanceId": INSTANCE,
        "status": word,
        "ids": list(ids),
        "momment": SENT * 1000,
        "phoneDevice": 0,
        "phone": BETO,
        "type": "MessageStatusCallback",
        "isGroup": False,
        **changes,
    }


def delivery(id: str, **changes: Any) -> dict[str, Any]:
    return {
        "phone": BETO,
        "zaapId": "Z" + id,
        "messageId": id,
        "type": "DeliveryCallback",
        "instanceId": INSTANCE,
        **changes,
    }


def disconnected(**changes: Any) -> dict[str, Any]:
    return {
        "momment": SENT,
        "error": "Device has been disconnected",
        "disconnected": True,
        "type": "DisconnectedCallback",
        "instanceId": INSTANCE,
        **changes,
    }


def presence(word: str, **changes: Any) -> dict[str, Any]:
    return {
        "type": "PresenceChatCallback",
        "phone": BETO,
        "status": word,
        "lastSeen": None,
        "instanceId": INSTANCE,
        **changes,
    }


def written(body: Any) -> bytes:
    return json.dumps(body).encode()
