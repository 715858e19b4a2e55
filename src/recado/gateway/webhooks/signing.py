"""
What a receiver gets, and how it knows that it is ours: Standard Webhooks (standardwebhooks.com), symmetric signatures.
The id of a delivery is its endpoint's and event's for good, however often it is sent.

    webhook-id: evt_<endpoint>_<number>       {"type": "message.received", "timestamp": …, "data": { … },
    webhook-timestamp: <seconds>               "id": <number>, "provider": …, "mentorado_id": …}
    webhook-signature: v1,<base64> v1,<base64>
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import orjson

from recado.gateway.stream.repository import StreamEvent

PREFIX = "whsec_"
_SECRET_BYTES = 32
PING = "webhook.ping"


def new_secret() -> bytes:
    """Random, as it is kept."""
    return secrets.token_bytes(_SECRET_BYTES)


def shown(secret: bytes) -> str:
    """A secret as it is given to a receiver."""
    return PREFIX + base64.b64encode(secret).decode()


def delivery_id(endpoint_id: UUID, seq: int) -> str:
    """The same each time this event is sent there: receivers drop repeats by it."""
    return f"evt_{endpoint_id.hex}_{seq}"


def event_body(event: StreamEvent, mentorado_id: UUID) -> bytes:
    """An event as a receiver gets it."""
    return orjson.dumps(
        {
            "type": event.kind,
            "timestamp": event.at,
            "data": event.body,
            "id": event.seq,
            "provider": event.provider,
            "mentorado_id": str(mentorado_id),
        }
    )


def ping_body(mentorado_id: UUID, endpoint_id: UUID, at: datetime) -> bytes:
    """A test, which is no event of the stream."""
    data = {"endpoint_id": str(endpoint_id)}
    return orjson.dumps({"type": PING, "timestamp": at, "data": data, "mentorado_id": str(mentorado_id)})


def signed_headers(id: str, at: datetime, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """The headers of a delivery, signed with every one of `keys`."""
    seconds = str(int(at.timestamp()))
    signed = f"{id}.{seconds}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in keys]
    return {
        "content-type": "application/json",
        "user-agent": "recado",
        "webhook-id": id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{each}" for each in signatures),
    }
