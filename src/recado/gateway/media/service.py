"""
Files that come with messages: noted in the transaction that records the message, which from then on names our file and
not the provider's. Fetching it is fetching.py's; where the bytes lie, files.py's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from recado.content import Content, Edit, LinkPreview, Media, StickerPack, Template
from recado.events import Fact, MessageReceived, MessageSent, Source
from recado.gateway.db.notify import MEDIA
from recado.gateway.db.unit import Unit
from recado.gateway.db.vault import Vault
from recado.gateway.media import repository
from recado.gateway.media.remote import FileOnServers, encode_remote, sealed_remote_name
from recado.gateway.media.repository import Noted
from recado.gateway.refusals import BadContent
from recado.gateway.security import MentoradoKeys
from recado.jid import JID

REFERENCE = "media:"
_REMOTE = ("meta:", "https://", "http://")
_KEPT_BY_PROVIDER = {"meta": timedelta(days=7), "zapi": timedelta(days=30), "baileys": timedelta(days=14)}
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


async def note_encrypted(unit: Unit, vault: Vault, provider: str, facts: Sequence[Fact]) -> Sequence[Fact]:
    """
    Note every file on WhatsApp's servers that these facts name, where it is and its key sealed; the facts, naming ours
    and without a key. What is new is fetched at once; of the past, what somebody asks for.
    """
    if not any(_has_encrypted(fact) for fact in facts):
        return facts
    keys, noted, told = await vault.keys(unit), list[Noted](), list[Fact]()
    for fact in facts:
        if isinstance(fact, MessageReceived | MessageSent) and _has_encrypted(fact):
            sent = await repository.find_sent_reference(unit, fact.id) if isinstance(fact, MessageSent) else None
            naming = _Naming(unit.mentorado_id, keys, provider, fact, sent)
            fact = replace(fact, content=without_keys(fact.content, naming))
            noted += naming.noted
        told.append(fact)
    if noted:
        now = max(fact.at for fact in facts)
        once = list({file.id: file for file in noted}.values())
        kept = _KEPT_BY_PROVIDER.get(provider, _KEPT)
        await repository.add_pending(unit, provider, once, now=now, expires_at=now + kept)
        unit.tell(MEDIA)
    return told


def without_keys(content: Any, named: Callable[[Media], str]) -> Any:
    """The content, no file in it, however deep, telling where it is and what opens it; `named` says what it is here."""
    if isinstance(content, Media):
        if content.thumbnail_remote is not None:
            content = replace(content, thumbnail_remote=None)
        return content if content.remote is None else replace(content, remote=None, reference=named(content))
    if isinstance(content, LinkPreview):
        return content if content.picture is None else replace(content, picture=None)
    if isinstance(content, StickerPack):
        is_bare = content.remote is None and content.thumbnail_remote is None
        return content if is_bare else replace(content, remote=None, thumbnail_remote=None)
    if isinstance(content, tuple):
        return tuple(without_keys(each, named) for each in content)
    if is_dataclass(content) and not isinstance(content, type | JID):
        parts = {part.name: getattr(content, part.name) for part in fields(content)}
        changed = {name: without_keys(part, named) for name, part in parts.items()}
        return content if all(changed[name] is part for name, part in parts.items()) else replace(content, **changed)
    return content


class _Naming:
    """What the files of one message are called here, and what is to be noted of them."""

    def __init__(
        self,
        mentorado_id: UUID,
        keys: MentoradoKeys,
        provider: str,
        fact: MessageReceived | MessageSent,
        sent: str | None,
    ) -> None:
        self.noted: list[Noted] = []
        self._mentorado_id = mentorado_id
        self._keys = keys
        self._provider = provider
        self._fact = fact
        self._sent = sent

    def __call__(self, media: Media) -> str:
        """The reference of this file."""
        if self._sent is not None:
            return self._sent
        fact = self._fact
        # An edit shows the file of the message that it changes.
        message_id = fact.content.to if isinstance(fact.content, Edit) else fact.id
        sender = fact.sender if isinstance(fact, MessageReceived) else fact.account
        place = f" {len(self.noted)}" if self.noted else ""
        id = uuid5(self._mentorado_id, f"{self._provider} {fact.chat.bare} {sender.bare} {message_id}{place}")
        from_me = fact.from_me if isinstance(fact, MessageReceived) else True
        people = [fact.chat, fact.chat_alt, sender] if not from_me else []
        remote = encode_remote(FileOnServers(media, message_id, fact.chat, from_me, sender))
        self.noted.append(
            Noted(
                id=id,
                message_id=message_id,
                people=tuple(sorted({each.user for each in people if each is not None and each.is_person})),
                remote=None,
                mime_type=media.mime_type,
                file_name=media.file_name,
                size=media.size,
                sha256=media.sha256,
                sealed_remote=self._keys.seal(sealed_remote_name(id), remote.encode()),
                is_wanted=not (isinstance(fact, MessageReceived) and fact.source is Source.HISTORY),
            )
        )
        return reference_to(id)


def _has_encrypted(fact: Fact) -> bool:
    if not isinstance(fact, MessageReceived | MessageSent):
        return False
    return without_keys(fact.content, lambda media: media.reference) is not fact.content


async def check_files(unit: Unit, content: Content) -> None:
    """Are the files here that the content names, if it names some of ours? Raises BadContent."""
    media = content.header_media if isinstance(content, Template) else content
    if isinstance(media, StickerPack):
        named = {each.reference for each in media.packed if each.reference}
    else:
        named = {media.reference} if isinstance(media, Media) and media.reference.startswith(REFERENCE) else set()
    if not named:
        return
    ids = {id for each in named if (id := identified(each)) is not None}
    if len(ids) < len(named) or len(await repository.list_known(unit, list(ids))) < len(ids):
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
