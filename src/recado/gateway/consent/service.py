"""
What the ledger says: where somebody stands on a purpose. Asked by the guardrails for every message, so it knows nothing
of conversations or campaigns; writing entries is in recording.py, words for stopping in stopping.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from recado.gateway.consent import repository
from recado.gateway.consent.repository import ContactStanding, Standing
from recado.gateway.db.unit import Unit

MARKETING = "marketing"
_NEVER_ASKED = Standing(None, None)


async def standing(unit: Unit, conversation_id: UUID, purpose: str = MARKETING) -> Standing:
    """Where the person of that conversation stands; the newest entry wins, and one for every purpose counts too."""
    return await repository.find_standing(unit, conversation_id, purpose) or _NEVER_ASKED


async def standings(unit: Unit, contact_ids: Sequence[UUID], purpose: str = MARKETING) -> dict[UUID, ContactStanding]:
    """The same for many contacts at once; who never said anything is not in it."""
    return await repository.list_standings(unit, contact_ids, purpose)


async def is_confirmation(unit: Unit, message_id: str) -> bool:
    """Is this message of ours the one answer to a word for stopping? It may go to who has just opted out."""
    return await repository.has_answer(unit, message_id)


async def locale(unit: Unit) -> str:
    """The language the mentorado's people are answered in: pt-BR or en."""
    return (await repository.get_settings(unit)).locale
