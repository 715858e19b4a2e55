"""
Notifications: what the server tells that is not a message. What changes our beliefs about others is written here; what
needs a question becomes work; the rest is recorded as unknown. Each is acknowledged after the commit.
"""

from __future__ import annotations

from recado.client.appstate.keys import on_server_sync
from recado.client.contacts import learn_lids
from recado.client.devices import take_device_change
from recado.client.groups.changes import on_group_notification
from recado.client.groups.channels import on_channels
from recado.client.handlers.linking import on_linking_news
from recado.client.people.changes import on_people
from recado.client.people.tokens import give_again, keep_token
from recado.client.prekeys import upload_work
from recado.client.turn import Turn
from recado.errors import BadRecord
from recado.events import PeerIdentityChanged
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.stanzas.ack import ack
from recado.protocol.stanzas.media_retry import MediaRetry
from recado.protocol.stanzas.newsletters import ChannelsSaid, PostsCounted
from recado.protocol.stanzas.notification import (
    AccountSync,
    DevicesChanged,
    IdentityReset,
    Notification,
    OtherNotification,
    PreKeysLow,
    PrivacyToken,
    ServerSync,
)

GROUP_NOTIFICATION = "w:gp2"


async def on_notification(turn: Turn, node: Node) -> None:
    """Take a notification in. Raises StanzaError."""
    if not turn.account.is_paired:
        await on_linking_news(turn, node)
        return
    if node.attrs.get("type") == GROUP_NOTIFICATION:
        await on_group_notification(turn, node)
        return
    notification = Notification.parse(node)
    turn.answer(ack(node))
    if notification.sender_lid is not None and notification.sender.is_phone:
        await learn_lids(turn, [(notification.sender, notification.sender_lid)])
    match notification.says:
        case PreKeysLow():
            await turn.schedule(upload_work(at=turn.now))
        case IdentityReset():
            await _forget_sessions(turn, notification.sender.bare)
        case DevicesChanged(action=action, devices=devices) as change:
            await take_device_change(turn.tx, turn.account, notification.sender.bare, change)
            if action == "remove":
                await turn.tx.groups.rotate_for(notification.sender, frozenset(device.device for device in devices))
        case AccountSync(topics=topics, devices=devices):
            if "devices" in topics:
                await turn.tx.forget_devices(turn.me)
                await _rotate_for_own(turn, devices)
            for each in notification.says.changes:
                await on_people(turn, turn.me, each)
            if notification.says.unknown:
                await turn.record_unknown(node, "account_sync")
        case PrivacyToken(token=token, at=at):
            await keep_token(turn.tx, notification.sender.bare, token, at)
        case MediaRetry() as said:
            turn.then(lambda: turn.account.reuploads.answer(said))
        case ChannelsSaid() | PostsCounted() as counted:
            await on_channels(turn, notification.sender, counted)
        case OtherNotification():
            await turn.record_unknown(node, notification.kind)
        case ServerSync(collections=collections):
            await on_server_sync(turn, collections)
        case says:
            await on_people(turn, notification.sender, says)


async def _rotate_for_own(turn: Turn, devices: tuple[JID, ...] | None) -> None:
    """Own devices that are not listed any more may not read on in groups."""
    if devices is not None:
        left = {0, *(device.device for device in devices)}
        await turn.tx.groups.rotate_for(turn.me, beyond=frozenset(left))


async def _forget_sessions(turn: Turn, person: JID) -> None:
    """A new phone or a new installation: what was agreed with the old one, and its linked devices, is worth nothing."""
    try:
        listed = await turn.tx.devices(person)
    except BadRecord:
        listed = None
    for number in {0, *(listed.devices if listed is not None else ())}:
        await turn.tx.drop_session(person.with_device(number))
    await turn.tx.forget_devices(person)
    await turn.tx.groups.rotate_for(person)
    await give_again(turn, person)
    await turn.tx.record(
        PeerIdentityChanged(account=turn.me, at=turn.now, contact=(await turn.tx.canonical(person)).bare)
    )
