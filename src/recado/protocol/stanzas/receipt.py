"""
Receipts: how far messages got, and the request to send one again.

    <receipt from="…" id="…" t="…" type="read"? participant? recipient?><list><item id="…"/>…</list>?</receipt>
    <receipt from="…" id="…" t="…" type="retry">
      <retry count="1" id="…" t="…" v="1" error?/><registration>[4]</registration>
      <keys>type identity key skey device-identity</keys>?
    </receipt>
    <receipt from="group" type="read"><participants key="…"><user jid="…" t="…"/>…</participants></receipt>

The builders take the message they answer as it came: a receipt repeats its addresses letter by letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from recado.events import MessageId, ReceiptKind
from recado.jid import JID
from recado.protocol.bundle import prekey_node, read_bundle, registration_node, signed_prekey_node, type_node
from recado.protocol.node import Node
from recado.protocol.signal.agreement import PreKeyBundle
from recado.protocol.signal.keys import OneTimePreKey, SignedPreKey
from recado.protocol.stanzas.source import read_source

_SAYS = {
    "": ReceiptKind.DELIVERED,
    "inactive": ReceiptKind.DELIVERED,
    "read": ReceiptKind.READ,
    "read-self": ReceiptKind.READ,
    "played": ReceiptKind.PLAYED,
    "played-self": ReceiptKind.PLAYED,
}


@dataclass(frozen=True, slots=True)
class RetryRequest:
    """A device could not open message `id` for the `count`-th time; its `bundle` lets a new session begin at once."""

    id: MessageId
    count: int
    registration_id: int
    bundle: PreKeyBundle | None = None
    sent_at: datetime | None = None
    error: int | None = None
    device_identity: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class GroupedReceipt:
    """One person's part of a receipt that tells of several."""

    id: MessageId
    sender: JID
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptStanza:
    """
    One receipt: `kind` is its wire word ("" when delivered), `says` what that means for the messages, if anything.
    `grouped` holds single persons' parts when the server sends several in one.
    """

    id: str
    ids: tuple[MessageId, ...]
    kind: str
    sender: JID
    chat: JID
    from_me: bool
    sent_at: datetime | None = None
    chat_alt: JID | None = None
    sender_alt: JID | None = None
    recipient: JID | None = None
    participant: JID | None = None
    offline: bool = False
    retry: RetryRequest | None = None
    grouped: tuple[GroupedReceipt, ...] = ()

    @property
    def says(self) -> ReceiptKind | None:
        """What it tells of the messages; None for those between devices and servers (retry, sender, peer_msg, …)."""
        return _SAYS.get(self.kind)

    @staticmethod
    def parse(node: Node, *, own: JID, own_lid: JID | None = None) -> ReceiptStanza:
        """Read a receipt; `own` and `own_lid` are this account's addresses. Raises StanzaError."""
        reader = node.read()
        grouped = tuple(part for group in node.all("participants") for part in _grouped(group))
        source = read_source(reader, own=own, own_lid=own_lid, needs_participant=False)
        id = reader.opt_str("id") if grouped else reader.str("id")
        sent_at, recipient = reader.opt_time("t"), reader.opt_jid("recipient")
        participant = reader.opt_jid("participant")
        reader.done()
        kind = reader.opt_str("type") or ""
        listed = node.child("list")
        items = [] if listed is None else [item.attrs["id"] for item in listed.all("item") if "id" in item.attrs]
        ids = [id, *items] if id and not grouped else list(dict.fromkeys(part.id for part in grouped))
        return ReceiptStanza(
            id=id or "",
            ids=tuple(MessageId(each) for each in ids),
            kind=kind,
            sender=source.sender,
            chat=source.chat,
            from_me=source.from_me,
            sent_at=sent_at,
            chat_alt=source.chat_alt,
            sender_alt=source.sender_alt,
            recipient=recipient,
            participant=participant,
            offline="offline" in node.attrs,
            retry=_retry(node) if kind == "retry" else None,
            grouped=grouped,
        )


@dataclass(frozen=True, slots=True)
class RetryKeys:
    """The keys that go with a retry receipt from the second on: a fresh one-time key among them."""

    identity: bytes = field(repr=False)
    prekey: OneTimePreKey
    signed_prekey: SignedPreKey
    device_identity: bytes = field(repr=False)


def delivery_receipt(message: Node, *, is_active: bool = False) -> Node:
    """`message` arrived; `is_active` when the account shows itself as online (its author sees the two ticks)."""
    return _answer(message, None if is_active else "inactive")


def sender_receipt(message: Node) -> Node:
    """`message`, written on another own device, arrived here."""
    return _answer(message, "sender")


def peer_receipt(message: Node) -> Node:
    """`message`, from an own device to this one, arrived."""
    return _answer(message, "peer_msg")


def history_receipt(message: Node) -> Node:
    """The history in `message` was taken."""
    return _answer(message, "hist_sync")


def read_receipt(
    chat: JID,
    ids: Sequence[MessageId],
    *,
    at: datetime,
    sender: JID | None = None,
    is_private: bool = False,
    kind: ReceiptKind = ReceiptKind.READ,
) -> Node:
    """
    Messages of one author in `chat` were read (or played) at `at`. `sender` is that author, needed in a group;
    `is_private` tells the own devices only. Raises ValueError without ids.
    """
    if not ids:
        raise ValueError("a receipt needs the id of a message")
    word = f"{kind}-self" if is_private else str(kind)
    attrs = {"id": ids[0], "to": str(chat), "type": word, "t": str(int(at.timestamp()))}
    if sender is not None and not chat.is_person:
        attrs["participant"] = str(sender.bare)
    items = [Node("item", {"id": id}) for id in ids[1:]]
    return Node("receipt", attrs, [Node("list", None, items)] if items else None)


def retry_receipt(
    message: Node, *, count: int, registration_id: int, keys: RetryKeys | None = None, error: int | None = None
) -> Node:
    """
    `message` could not be opened for the `count`-th time (from 1), for the reason `error`; `keys` from the second time
    on.
    """
    receipt = _answer(message, "retry")
    if message.attrs.get("category") == "peer":
        receipt.attrs["category"] = "peer"
    id = message.attrs.get("id", "")
    retry = Node("retry", {"count": str(count), "id": id, "t": message.attrs.get("t", "0"), "v": "1"})
    if error is not None:
        retry.attrs["error"] = str(error)
    content = [retry, registration_node(registration_id)]
    if keys is not None:
        content.append(
            Node(
                "keys",
                None,
                [
                    type_node(),
                    Node("identity", None, keys.identity),
                    prekey_node(keys.prekey.id, keys.prekey.pair.public),
                    signed_prekey_node(keys.signed_prekey),
                    Node("device-identity", None, keys.device_identity),
                ],
            )
        )
    receipt.content = content
    return receipt


def _answer(message: Node, kind: str | None) -> Node:
    attrs = {}
    for name, value in (("id", "id"), ("to", "from"), ("participant", "participant"), ("recipient", "recipient")):
        if value in message.attrs:
            attrs[name] = message.attrs[value]
    if kind is not None:
        attrs["type"] = kind
    return Node("receipt", attrs)


def _retry(node: Node) -> RetryRequest:
    reader = node.read()
    retry, registration = reader.child("retry"), reader.blob("registration", 4)
    reader.done()
    inner = retry.read()
    id, count = inner.str("id"), inner.int("count")
    sent_at, error = inner.opt_time("t"), inner.opt_int("error")
    inner.done()
    keys = node.child("keys")
    identity = None if keys is None else keys.child("device-identity")
    return RetryRequest(
        id=MessageId(id),
        count=count,
        registration_id=int.from_bytes(registration, "big"),
        bundle=None if keys is None else read_bundle(node, keys),
        sent_at=sent_at,
        error=error,
        device_identity=None if identity is None else identity.blob,
    )


def _grouped(group: Node) -> list[GroupedReceipt]:
    reader = group.read()
    id = reader.str("key")
    reader.done()
    parts = []
    for user in group.all("user"):
        inner = user.read()
        sender, sent_at = inner.jid("jid"), inner.opt_time("t")
        inner.done()
        parts.append(GroupedReceipt(MessageId(id), sender, sent_at))
    return parts
