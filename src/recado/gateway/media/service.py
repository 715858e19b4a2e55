"""
Files that come with messages: noted in the transaction that records the message, which from then on names our file and
not the provider's. Fetching it is fetching.py's; where the bytes lie, files.py's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid5

from recado.content import Content, Media, Template
from recado.events import Fact, MessageReceived
from recado.gateway.db.notify import MEDIA
from recado.gateway.db.unit import Unit
from recado.gateway.media import repository
from recado.gateway.media.repository import Noted
from recado.gateway.refusals import BadContent

REFERENCE = "media:"
_REMOTE = ("meta:", "https://", "http://")
_KEPT_BY_PROVIDER = {"meta": timedelta(days=7), "zapi": timedelta(days=30)}
_KEPT = timedelta(days=7)
_LONGEST_REMOTE = 4_000


async def note_inbound(unit: Unit, provider: str, facts: Sequence[Fact]) -> Sequence[Fact]:
    """
    Note every file a provider has that comes with these facts, to be fetched at once; the facts, naming ours. A fact
    told again names the same file.
    """
    noted: list[Noted] = []
    told: list[Fact] = []
    for fact in facts:
        if isinstance(fact, MessageReceived) and isinstance(fact.content, Media) and _is_remote(fact.content):
            file = _noted(unit.mentorado_id, provider, fact, fact.content)
            noted.append(file)
            fact = replace(fact, content=replace(fact.content, reference=reference_to(file.id)))
        told.append(fact)
    if noted:
        now = max(fact.at for fact in facts)
        kept = _KEPT_BY_PROVIDER.get(provider, _KEPT)
        await repository.add_pending(unit, provider, noted, now=now, expires_at=now + kept)
        unit.tell(MEDIA)
    return told


async def check_files(unit: Unit, content: Content) -> None:
    """Is the file here that the content names, if it names one of ours? Raises BadContent."""
    media = content.header_media if isinstance(content, Template) else content
    if not isinstance(media, Media) or not media.reference.startswith(REFERENCE):
        return
    id = identified(media.reference)
    if id is None or not await repository.list_known(unit, [id]):
        raise BadContent("there is no file with this reference: upload it first")


def reference_to(id: UUID) -> str:
    """What a message calls the file."""
    return f"{REFERENCE}{id}"


def identified(reference: str) -> UUID | None:
    """The id in a reference, or an id alone."""
    try:
        return UUID(reference.removeprefix(REFERENCE))
    except ValueError:
        return None


def _is_remote(content: Media) -> bool:
    return content.reference.startswith(_REMOTE) and len(content.reference) <= _LONGEST_REMOTE


def _noted(mentorado_id: UUID, provider: str, fact: MessageReceived, content: Media) -> Noted:
    # Others choose the ids of their messages: with who wrote in it, nobody's file stands for another's.
    name = f"{provider} {fact.chat.bare} {fact.sender.bare} {fact.id}"
    people = [each for each in (fact.chat, fact.chat_alt, fact.sender) if each is not None and each.is_person]
    return Noted(
        id=uuid5(mentorado_id, name),
        message_id=fact.id,
        people=() if fact.from_me else tuple(sorted({each.user for each in people if each.user})),
        remote=content.reference,
        mime_type=content.mime_type,
        file_name=content.file_name,
        size=content.size,
        sha256=content.sha256,
    )
