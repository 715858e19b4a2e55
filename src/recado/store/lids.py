"""
One person, two addresses: what must move in the store when a phone number turns out to be a LID.

Sessions live under the LID once it is known. What was kept under the number is moved when the LID has nothing of the
kind, and dropped when it has: two ratchets with one device would each miss the other's messages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from recado.jid import HOSTED, HOSTED_LID, JID, LID, PHONE
from recado.protocol.signal.record import SessionRecord
from recado.protocol.signal.sender_key import SenderKeyRecord
from recado.store import keys
from recado.store.overlay import Overlay
from recado.store.people import move_tokens, tokens_key
from recado.store.records import DeviceList, OtherAddress
from recado.store.timers import ChatTimer

# Above this many new pairs (a history brings thousands) all addresses are listed once, not a person's at a time.
_MANY = 8

_BY_DEVICE: tuple[tuple[str, Callable[[bytes], Any]], ...] = (
    (keys.SESSIONS, SessionRecord.decode),
    (keys.IDENTITIES, bytes),
    (keys.SENDER_KEYS, SenderKeyRecord.decode),
)
_BY_PERSON = (keys.devices, keys.chat_timer, tokens_key)


async def learn(overlay: Overlay, pairs: Sequence[tuple[JID, JID]]) -> list[tuple[JID, JID]]:
    """Write the mappings both ways and move what belongs to them; answers the pairs that were new."""
    await overlay.prefetch([key for phone, lid in pairs for key in (keys.lid_of(phone), keys.phone_of(lid))])
    news = [(phone, lid) for phone, lid in pairs if await _map(overlay, phone, lid)]
    if news:
        await _move_devices(overlay, news)
        await overlay.prefetch([name(jid) for pair in news for jid in pair for name in _BY_PERSON])
        for phone, lid in news:
            await _move(overlay, keys.devices(phone), keys.devices(lid), DeviceList.decode)
            await _move(overlay, keys.chat_timer(phone), keys.chat_timer(lid), ChatTimer.decode)
        await move_tokens(overlay, news)
    return news


async def _map(overlay: Overlay, phone: JID, lid: JID) -> bool:
    forward, backward = keys.lid_of(phone), keys.phone_of(lid)
    old_lid = await overlay.get(forward, OtherAddress.decode)
    old_phone = await overlay.get(backward, OtherAddress.decode)
    if old_lid is not None and old_lid.jid == lid and old_phone is not None and old_phone.jid == phone:
        return False
    # A number that changed hands, or a person who changed numbers: the old way must not lead here any more.
    if old_lid is not None and old_lid.jid != lid:
        overlay.put(keys.phone_of(old_lid.jid), None)
    if old_phone is not None and old_phone.jid != phone:
        overlay.put(keys.lid_of(old_phone.jid), None)
    overlay.put(forward, OtherAddress(lid))
    overlay.put(backward, OtherAddress(phone))
    return True


async def _move_devices(overlay: Overlay, pairs: list[tuple[JID, JID]]) -> None:
    users = {}
    for phone, lid in pairs:
        for old, new in ((PHONE, LID), (HOSTED, HOSTED_LID)):
            users[keys.address_user(JID(phone.user, old))] = keys.address_user(JID(lid.user, new))
    people = [keys.address_user(phone) for phone, _ in pairs] if len(pairs) <= _MANY else [""]
    names = await overlay.scan(*(family + person for family, _ in _BY_DEVICE for person in people))
    moves = []
    for name in names:
        family, decode = next(each for each in _BY_DEVICE if name.startswith(each[0]))
        user, _, device = name.removeprefix(family).partition(".")  # behind a sender key's device stands its group
        if user in users:
            moves.append((name, f"{family}{users[user]}.{device}", decode))
    await overlay.prefetch([name for *move, _ in moves for name in move])
    for old_name, new_name, decode in moves:
        await _move(overlay, old_name, new_name, decode)


async def _move(overlay: Overlay, old: str, new: str, decode: Callable[[bytes], Any]) -> None:
    value = await overlay.get(old, decode)
    if value is None:
        return
    if await overlay.get(new, decode) is None:
        overlay.put(new, value)
    overlay.put(old, None)
