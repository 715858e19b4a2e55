"""
What notifications say of channels: how often posts are seen, while a channel is watched, and what changed.

    type="newsletter"  <live_updates><messages><message server_id><views_count count/><reactions>…
    type="mex"         <update op_name="…">{"data": {"xwa2_notify_newsletter_on_…": {"id": "…@newsletter", …}}}</update>
                       <update op_name="…">{"operation": "NotificationNewsletter…", "updates": [{"jid", …}]}</update>

And a post that replaces or takes back another, as a message from the channel with the same id: `<message edit="3|8">`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from recado.errors import DecodeError
from recado.events import MessageId
from recado.jid import JID, NEWSLETTER
from recado.newsletters import NewsletterChange
from recado.protocol.messages.parsing import parse_message
from recado.protocol.node import Node
from recado.protocol.proto.e2e_pb2 import Message, ProtocolMessage
from recado.protocol.queries.posts import PostCounts, listed_counts
from recado.protocol.stanzas.message import MessageStanza

POST_EDIT, POST_REVOKE = "3", "8"


@dataclass(frozen=True, slots=True)
class PostsCounted:
    """Posts of the channel the notification is from were seen so often."""

    counts: tuple[PostCounts, ...]


@dataclass(frozen=True, slots=True)
class ChannelChange:
    """One thing that changed in a channel."""

    newsletter: JID
    what: NewsletterChange
    value: str = field(default="", repr=False)
    person: JID | None = None


@dataclass(frozen=True, slots=True)
class ChannelsSaid:
    """What changed in channels."""

    changes: tuple[ChannelChange, ...]


NewsletterSays = PostsCounted | ChannelsSaid


def read_counted(node: Node) -> PostsCounted | None:
    """What a notification of type "newsletter" counts."""
    live = node.child("live_updates")
    counts = listed_counts(live) if live is not None else []
    return PostsCounted(tuple(counts)) if counts else None


def read_channels(node: Node) -> ChannelsSaid | None:
    """What a notification of type "mex" says of channels; None when it is about something else."""
    changes: list[ChannelChange] = []
    for update in node.all("update"):
        try:
            body = json.loads(update.blob)
        except (ValueError, RecursionError):
            continue
        if isinstance(body, dict):
            changes += _from_data(body.get("data")) or _from_updates(body, update.attrs.get("op_name", ""))
    return ChannelsSaid(tuple(changes)) if changes else None


def as_written(stanza: MessageStanza) -> MessageStanza:
    """A message of a channel by what it says: a change of a post says so itself, under an id of its own."""
    if stanza.chat.server != NEWSLETTER or stanza.edit not in (POST_EDIT, POST_REVOKE):
        return stanza
    said = ProtocolMessage(type=ProtocolMessage.REVOKE)
    if stanza.edit == POST_EDIT:
        try:
            edited = parse_message(stanza.plaintext or b"")
        except DecodeError:
            return stanza
        said = ProtocolMessage(type=ProtocolMessage.MESSAGE_EDIT, edited_message=edited)
    said.key.id, said.key.remote_jid, said.key.from_me = stanza.id, str(stanza.chat), True
    digest = hashlib.sha256(stanza.edit.encode() + (stanza.plaintext or b"")).hexdigest()[:16]
    plaintext = Message(protocol_message=said).SerializeToString()
    return stanza._replace(id=MessageId(f"{stanza.id}-{digest}"), plaintext=plaintext)


def _from_data(data: Any) -> list[ChannelChange]:
    for name, told in data.items() if isinstance(data, dict) else ():
        newsletter = _channel(told.get("id")) if isinstance(told, dict) else None
        if not name.startswith("xwa2_notify_newsletter_") or newsletter is None:
            continue
        match name.removeprefix("xwa2_notify_newsletter_"):
            case "on_join":
                return [ChannelChange(newsletter, NewsletterChange.FOLLOWED)]
            case "on_leave":
                return [ChannelChange(newsletter, NewsletterChange.UNFOLLOWED)]
            case "on_mute_change":
                is_on = told.get("mute") == "ON"
                return [ChannelChange(newsletter, NewsletterChange.MUTED if is_on else NewsletterChange.UNMUTED)]
            case "on_metadata_update" | "on_admin_metadata_update":
                thread = told.get("thread_metadata")
                return _named(newsletter, thread if isinstance(thread, dict) else {})
            case "on_state_change":
                state = told.get("state")
                value = _text(state.get("type") if isinstance(state, dict) else state)
                return [ChannelChange(newsletter, NewsletterChange.STATE, value.lower())]
            case other:
                return [ChannelChange(newsletter, NewsletterChange.OTHER, other[:40])]
    return []


_ROLES = {
    "NotificationNewsletterAdminPromote": NewsletterChange.PROMOTED,
    "NotificationNewsletterAdminDemote": NewsletterChange.DEMOTED,
}


def _from_updates(body: dict[str, Any], name: str) -> list[ChannelChange]:
    operation, updates = str(body.get("operation") or name), body.get("updates")
    changes: list[ChannelChange] = []
    for update in updates if isinstance(updates, list) else ():
        newsletter = _channel(update.get("jid")) if isinstance(update, dict) else None
        if newsletter is None:
            continue
        if operation in _ROLES:
            changes.append(ChannelChange(newsletter, _ROLES[operation], person=_person(update.get("user"))))
        elif isinstance(update.get("settings"), dict):
            changes += _named(newsletter, update["settings"])
        else:
            changes.append(ChannelChange(newsletter, NewsletterChange.OTHER, _text(operation)[:40]))
    return changes


def _named(newsletter: JID, settings: dict[str, Any]) -> list[ChannelChange]:
    found = []
    for what in (NewsletterChange.NAME, NewsletterChange.DESCRIPTION):
        value = settings.get(what.value)
        text = value.get("text") if isinstance(value, dict) else value
        if isinstance(text, str):
            found.append(ChannelChange(newsletter, what, _text(text)))
    return found


def _channel(value: Any) -> JID | None:
    jid = _person(value)
    return jid if jid is not None and jid.server == NEWSLETTER else None


def _person(value: Any) -> JID | None:
    try:
        return JID.parse(value).bare if isinstance(value, str) else None
    except ValueError:
        return None


def _text(value: Any) -> str:
    return value.replace("\0", "") if isinstance(value, str) else ""
