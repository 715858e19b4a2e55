"""
What may be written into a conversation now, for the page's composer: over Meta free words only within its 24-hour
window, and templates at any time. The same question is asked again where the message is queued, and at the wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from recado.gateway.connections.choosing import weigh
from recado.gateway.db.unit import Unit
from recado.gateway.providers.meta import windows
from recado.gateway.providers.meta.repository import ApprovedTemplate, list_approved
from recado.gateway.providers.roads import ROADS


@dataclass(frozen=True, slots=True)
class Window:
    """Until when free words may go (None: not now), and the templates that may."""

    open_until: datetime | None
    templates: list[ApprovedTemplate]


async def find_window(unit: Unit, conversation_id: UUID, *, now: datetime) -> Window | None:
    """The window of the road that would carry a message now; None where there is none."""
    chosen = (await weigh(unit)).chosen
    if chosen is None or not ROADS[chosen].has_window:
        return None
    return Window(await windows.open_until(unit, conversation_id, now=now), await list_approved(unit))
