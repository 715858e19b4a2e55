"""
What the gateway itself tells in the stream, beside the facts of a provider: a message that is held back, an endpoint
that was switched off. The class name is the only source of the wire name, as with facts; they are told, and never read
back as values.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from recado.events import wire_name
from recado.gateway.db.notify import STREAM
from recado.gateway.db.unit import Unit
from recado.gateway.stream.repository import add_bodies

GATEWAY = "gateway"
"""The provider of what no provider told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something the gateway did or found, at a time. Fields are ids, words of ours, times: no text, number or key."""

    at: datetime


async def tell(unit: Unit, *notices: Notice) -> None:
    """Add to the mentorado's stream. Do this late: it holds the stream until the unit ends."""
    await add_bodies(
        unit,
        GATEWAY,
        kinds=[wire_name(type(notice)) for notice in notices],
        bodies=[json.dumps(asdict(notice), default=str, separators=(",", ":")) for notice in notices],
        raws=[None] * len(notices),
        ats=[notice.at for notice in notices],
    )
    unit.tell(STREAM)
