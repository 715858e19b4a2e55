"""
Planning a message to a group, in one transaction: sealed once under our sender key, whose chain moves on before
anything leaves; the key itself sealed for each device that lacks it.

Who has the key is noted when the server has taken the message, not before: a crash in between gives it once more. The
key is made anew as soon as somebody has it who is not in the group (any more), or a device that is gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from recado import crashpoints
from recado.client.account import Account
from recado.client.devices import known_devices
from recado.client.drafting import keep_own_secret, outside_of, own_address
from recado.client.drafts import Draft, Missing
from recado.client.sealing import Bundles, Sealer, shows_identity
from recado.crashpoints import GroupPoint
from recado.errors import BadRecord
from recado.groups import Group
from recado.jid import JID
from recado.protocol.messages.group_keys import encode_distribution_message
from recado.protocol.messages.padding import pad
from recado.protocol.messages.phash import participant_hash
from recado.protocol.messages.shape import REVOKE, Shape
from recado.protocol.queries.statuses import SETTINGS
from recado.protocol.signal.sender_key import SenderKeyRecord, distribution, new_sender_key, seal_for_group
from recado.protocol.signal.session import Envelope
from recado.protocol.stanzas.group_message import GroupMessage
from recado.protocol.stanzas.hosted import HOSTED_DEVICE
from recado.store import keys
from recado.store.records import SentMessage
from recado.store.transaction import Transaction

KEYLESS = timedelta(hours=1)
"""How long a device without keys is left alone."""


async def plan_for_group(account: Account, draft: Draft, bundles: Bundles, tx: Transaction) -> GroupMessage | Missing:
    """The message, sealed and with the chain a step further, or what must be asked first; then nothing was written."""
    group = await kept_group(tx, draft.chat)
    if group is None:
        return Missing(group=draft.chat)
    people = _people(account, group)
    await tx.prefetch([keys.devices(person) for person in people])
    listed = {person: await known_devices(tx, account, person) for person in people}
    unknown = tuple(person for person, devices in listed.items() if devices is None)
    if unknown:
        return Missing(people=unknown)
    # Hosted devices are not written to in groups.
    numbers = {person: [number for number in listed[person] or () if number != HOSTED_DEVICE] for person in people}
    devices = [person.with_device(number) for person in people for number in numbers[person]]
    others = {device: str(await tx.canonical(device)) for device in devices if not account.is_this_device(device)}
    record, holders = await own_key(account, tx, draft.chat, among=others.values())
    lacking = [device for device, name in others.items() if name not in holders]
    machines = [] if draft.machine is None else [draft.machine]
    missing = await _prepare(account, tx, [*lacking, *machines], bundles)
    if missing is not None:
        return missing
    given = await _give(account, tx, draft.chat, record, lacking)
    padded = pad(draft.body, account.entropy)
    record, ciphertext = seal_for_group(record, padded, entropy=account.entropy)
    await tx.groups.save_own_key(draft.chat, record)
    called = await Sealer(account, tx).seal_for_machine(draft)
    shape, token = outside_of(account, draft, await own_address(account, tx, draft.chat))
    await keep_own_secret(account, tx, draft, shape)
    kept = SentMessage(draft.id, draft.chat, draft.body, account.now())
    await tx.remember_sent(kept, account.now() + account.limits.keep_sent)
    draft.phash = participant_hash(devices) if draft.chat.is_group else None
    draft.given = (record.current.id, tuple(device for device, _ in given))
    crashpoints.reach(GroupPoint.SEALED_BEFORE_COMMIT)
    return GroupMessage(
        id=draft.id,
        to=draft.chat,
        ciphertext=ciphertext,
        participants=tuple(given),
        by_lid=group.by_lid if draft.chat.is_group else None,
        phash=draft.phash,
        expires_in=group.expires_in,
        kind=shape.kind,
        edit=shape.edit,
        mediatype=shape.mediatype,
        hides_failure=shape.hides_failure,
        meta={**dict(shape.meta), **({} if draft.chat.is_group else _status_setting(shape, group))},
        reporting=token,
        business=shape.business,
        machine=called[0] if called else None,
        device_identity=shows_identity((envelope for _, envelope in [*given, *called]), account),
    )


def _status_setting(shape: Shape, group: Group) -> dict[str, str]:
    """Whom a status is for, as the post says it; the server refuses that on a reaction and on what takes one back."""
    is_post = shape.kind != "reaction" and shape.edit != REVOKE
    return {"status_setting": group.subject if group.subject in SETTINGS else "contacts"} if is_post else {}


async def kept_group(tx: Transaction, group: JID) -> Group | None:
    """The group as last told; one that cannot be read counts as unknown."""
    try:
        return await tx.groups.find(group)
    except BadRecord:
        return None


async def own_key(
    account: Account, tx: Transaction, group: JID, *, among: Iterable[str]
) -> tuple[SenderKeyRecord, frozenset[str]]:
    """Our key in the group and who has it; a new one, which nobody has, when anybody beyond `among` has the old one."""
    try:
        record = await tx.groups.own_key(group)
        holders = await tx.groups.holders(group, record.current.id) if record is not None else frozenset()
    except BadRecord:
        record, holders = None, frozenset()
    if record is None or not holders <= set(among):
        return new_sender_key(account.entropy), frozenset()
    return record, holders


async def with_own_key(account: Account, tx: Transaction, asker: JID, sent: SentMessage) -> bytes:
    """
    The message for the one device that could not open it, and our key from where its chain stands now: what comes next
    opens there. It counts as a device without the key until it was given it with a message of its own.
    """
    record = await tx.groups.own_key(sent.chat)
    if record is None:
        record = new_sender_key(account.entropy)
        await tx.groups.save_own_key(sent.chat, record)
    await tx.groups.drop_holder(sent.chat, asker)
    return encode_distribution_message(sent.chat, distribution(record), sent.body)


async def note_given(tx: Transaction, draft: Draft) -> None:
    """The server took the message: those it gave our key to have it."""
    if draft.given is not None and draft.given[1]:
        await tx.groups.add_holders(draft.chat, *draft.given)
        crashpoints.reach(GroupPoint.GIVEN_BEFORE_COMMIT)


async def timer_of(account: Account, chat: JID) -> int | None:
    """After how many seconds messages in that group disappear, as far as it is known."""
    if not chat.is_group:
        return None
    async with account.store.transaction() as tx:
        group = await kept_group(tx, chat)
    return None if group is None else group.expires_in


async def forget_group(tx: Transaction, account: Account, group: JID) -> None:
    """Have the group and the devices of everybody in it asked for again: what we believed of them was wrong."""
    known = await kept_group(tx, group)
    for person in _people(account, known) if known is not None else ():
        await tx.forget_devices(person)
    if group.is_group:
        await tx.groups.forget(group)


def _people(account: Account, group: Group) -> list[JID]:
    """Everybody in the group by its own kind of address, ourselves among them."""
    own = account.lid.bare if group.by_lid and account.lid is not None else account.jid
    others = [member.jid for member in group.members if not account.is_me(member.jid)]
    return [*others, own]


async def _prepare(account: Account, tx: Transaction, lacking: list[JID], bundles: Bundles) -> Missing | None:
    """Begin the sessions that are not there, from the bundles; what is still to be fetched, if anything."""
    await tx.prefetch_peers(lacking)
    sealer = Sealer(account, tx)
    without = [await tx.canonical(device) for device in lacking if await sealer.session(device) is None]
    unasked = tuple(device for device in without if device not in bundles and not _is_keyless(account, device))
    if unasked:
        return Missing(devices=unasked)
    for device in without:
        bundle = bundles.get(device)
        if bundle is not None:
            await sealer.begin(device, bundle)
        elif device in bundles:
            account.keyless[device] = account.now()
    return None


def _is_keyless(account: Account, device: JID) -> bool:
    """Did the server have no keys for that device, a short while ago?"""
    at = account.keyless.get(device)
    if at is not None and account.now() - at > KEYLESS:
        del account.keyless[device]
        return False
    return at is not None


async def _give(
    account: Account, tx: Transaction, group: JID, record: SenderKeyRecord, lacking: list[JID]
) -> list[tuple[JID, Envelope]]:
    """Our key, from where its chain stands, sealed for each of those devices."""
    sealer, given = Sealer(account, tx), []
    message = encode_distribution_message(group, distribution(record)) if lacking else b""
    for device in lacking:
        envelope = await sealer.seal(device, message)
        if envelope is not None:
            given.append((device, envelope))
    return given
