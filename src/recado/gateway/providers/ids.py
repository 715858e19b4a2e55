"""
What a provider calls our messages. A message's own id is chosen when it is queued and is its id for good; the other
one, told when the provider takes it, is kept here, for statuses, quotes and reactions. What comes in keeps the
provider's id as its own and has no row here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recado.events import MessageId
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.jid import BSUID, JID, LID, PHONE

_queries = load_queries(__file__, "ids.sql")


@dataclass(frozen=True, slots=True)
class SentTo:
    """A message of ours, and the chat it went to."""

    message_id: MessageId
    chat: JID


async def save_external_id(unit: Unit, provider: str, external_id: str, message_id: str) -> None:
    """`provider` calls our message `message_id` so. Said again it changes nothing."""
    await unit.run(_queries.save_external_id, provider=provider, external_id=external_id, message_id=message_id)


async def find_message_ids(unit: Unit, provider: str, external_ids: Sequence[str]) -> dict[str, str]:
    """Our ids of those that are messages of ours."""
    rows = await unit.tuples(_queries.find_message_ids, provider=provider, external_ids=list(external_ids))
    return dict(rows)


async def find_sent(unit: Unit, provider: str, external_ids: Sequence[str]) -> dict[str, SentTo]:
    """
    Those that are messages of ours to a person, with the chat each went to: a provider may spell a number otherwise
    than it was given, and a receipt counts only in the chat it came from.
    """
    found: dict[str, SentTo] = {}
    for external_id, message_id, phone, lid, bsuid in await unit.tuples(
        _queries.find_sent, provider=provider, external_ids=list(external_ids)
    ):
        for user, server in ((phone, PHONE), (lid, LID), (bsuid, BSUID)):
            if user is not None:
                found[external_id] = SentTo(MessageId(message_id), JID(user, server))
                break
    return found


async def find_external_id(unit: Unit, provider: str, message_id: str) -> str | None:
    """What `provider` calls this message, ours or one that came; None when it went or came another way."""
    found: str | None = await unit.value(_queries.find_external_id, provider=provider, message_id=message_id)
    return found
