"""
What notifications say of people, taken in: each becomes a fact, and what it makes untrue in the store is put right in
the same transaction. What it leaves open is asked later, as work.
"""

from __future__ import annotations

from recado.client.contacts import learn_lids
from recado.client.people.resync import keep_default_timer, resync_work, set_blocked, set_privacy
from recado.client.people.tokens import record_cap, record_time_lock
from recado.client.turn import Turn
from recado.events import AboutChanged, ContactChanged, DisappearingDefaultChanged, NumberChanged, PictureChanged
from recado.jid import JID
from recado.protocol.stanzas.people import (
    AboutSaid,
    BlocksSaid,
    BusinessSaid,
    CapSaid,
    ContactsSaid,
    NumberSaid,
    PeopleSay,
    PictureSaid,
    PrivacySaid,
    TimeLockSaid,
    TimerSaid,
)


async def on_people(turn: Turn, sender: JID, says: PeopleSay) -> None:
    """Take in what is said of `sender` (the own account, when it is about that)."""
    about = await _canonical(turn, sender)
    match says:
        case PictureSaid(picture=picture, author=author):
            await turn.tx.record(
                PictureChanged(account=turn.me, at=turn.now, contact=about, picture=picture, author=author)
            )
        case AboutSaid(about=words):
            await turn.tx.record(AboutChanged(account=turn.me, at=turn.now, contact=about, about=words))
        case TimerSaid(seconds=seconds):
            if turn.account.is_me(about):
                await keep_default_timer(turn.tx, turn.account, seconds)
            await turn.tx.record(
                DisappearingDefaultChanged(account=turn.me, at=turn.now, contact=about, seconds=seconds)
            )
        case BlocksSaid():
            await _on_blocks(turn, says)
        case PrivacySaid(settings=settings):
            known = await turn.tx.people.privacy()
            if settings and known is not None:
                await set_privacy(turn.tx, turn.account, {**known, **dict(settings)})
            else:
                await turn.schedule(resync_work(turn.account))
        case BusinessSaid(contact=contact, verified_name=name):
            if name is not None:
                who = await _canonical(turn, contact) if contact is not None else about
                await turn.tx.record(ContactChanged(account=turn.me, at=turn.now, contact=who, verified_name=name))
        case NumberSaid():
            await _on_number(turn, says)
        case TimeLockSaid(lock=lock):
            await record_time_lock(turn.tx, turn.account, lock)
        case CapSaid(cap=cap):
            await record_cap(turn.tx, turn.account, cap)
        case ContactsSaid():
            pass  # nothing of ours: what a contact shows is asked for when somebody looks


async def _on_blocks(turn: Turn, said: BlocksSaid) -> None:
    known = await turn.tx.people.blocked()
    if known is None or not (said.blocked or said.unblocked):
        await turn.schedule(resync_work(turn.account))
        return
    added = {await _canonical(turn, jid) for jid in said.blocked}
    gone = {await _canonical(turn, jid) for jid in said.unblocked}
    await set_blocked(turn.tx, turn.account, (known | added) - gone)


async def _on_number(turn: Turn, moved: NumberSaid) -> None:
    """The LID is the person: sessions and threads under it stay, and the new number leads there instead of the old."""
    lid = moved.new_lid or moved.old_lid or await turn.tx.lid_of(moved.old)
    await turn.tx.forget_devices(moved.old)
    await turn.tx.record(
        NumberChanged(account=turn.me, at=turn.now, old=moved.old, new=moved.new, lid=lid and lid.bare)
    )
    if lid is not None:
        await learn_lids(turn, [(moved.new, lid.bare)])
    await turn.tx.forget_devices(moved.new)


async def _canonical(turn: Turn, jid: JID) -> JID:
    return turn.me if turn.account.is_me(jid) else (await turn.tx.canonical(jid)).bare
