"""
Notifications: what the server tells that is not a message. What changes our beliefs about others is written here; what
needs a question becomes work; the rest is recorded as unknown. Each is acknowledged after the commit.
"""

from __future__ import annotations

from recado.client.contacts import learn_lids
from recado.client.prekeys import upload_work
from recado.client.turn import Turn
from recado.errors import BadRecord
from recado.events import PeerIdentityChanged
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.stanzas.ack import ack
from recado.protocol.stanzas.notification import (
    AccountSync,
    DevicesChanged,
    IdentityReset,
    Notification,
    PreKeysLow,
)


async def on_notification(turn: Turn, node: Node) -> None:
    """Take a notification in. Raises StanzaError."""
    notification = Notification.parse(node)
    turn.answer(ack(node))
    if notification.sender_lid is not None and notification.sender.is_phone:
        await learn_lids(turn, [(notification.sender, notification.sender_lid)])
    match notification.says:
        case PreKeysLow():
            await turn.schedule(upload_work(at=turn.now))
        case IdentityReset():
            await _forget_sessions(turn, notification.sender.bare)
        case DevicesChanged():
            await turn.tx.forget_devices(notification.sender.bare)
        case AccountSync(topics=topics):
            if "devices" in topics:
                await turn.tx.forget_devices(turn.me)
            if any(topic != "devices" for topic in topics):
                await turn.record_unknown(node, "account_sync")
        case _:
            await turn.record_unknown(node, notification.kind)


async def _forget_sessions(turn: Turn, person: JID) -> None:
    """A new phone or a new installation: what was agreed with the old one, and its linked devices, is worth nothing."""
    try:
        listed = await turn.tx.devices(person)
    except BadRecord:
        listed = None
    for number in {0, *(listed.devices if listed is not None else ())}:
        await turn.tx.drop_session(person.with_device(number))
    await turn.tx.forget_devices(person)
    await turn.tx.record(
        PeerIdentityChanged(account=turn.me, at=turn.now, contact=(await turn.tx.canonical(person)).bare)
    )
