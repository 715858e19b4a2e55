"""A store as whatsmeow keeps one, made from a session that really was linked and talked."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from recado import Client, MemoryStore, Text
from recado.emulator.whatsapp.world import World
from recado.jid import JID
from recado.protocol.proto import adv_pb2
from recado.protocol.proto import libsignal_pb2 as wire
from recado.protocol.signal.record import SessionRecord, State, decode_state
from recado.store import Store

_DEVICE = (
    "jid, lid, facebook_uuid, registration_id, noise_key, identity_key, signed_pre_key, signed_pre_key_id,"
    " signed_pre_key_sig, adv_key, adv_details, adv_account_sig, adv_account_sig_key, adv_device_sig, platform,"
    " business_name, push_name"
)
SCHEMA = (Path(__file__).parent / "schema.sql").read_text()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World.start() as started:
        yield started


@pytest.fixture
def whatsmeow(world: World, tmp_path: Path) -> Callable[..., Awaitable[Path]]:
    """Link Rui's device, let it talk with Bia, and write what it holds as whatsmeow would."""

    async def made(path: Path | None = None, rui: str = "Rui") -> Path:
        path, store, bia = path or tmp_path / "store.db", Store(MemoryStore()), world.phone("Bia")
        async with Client(store, server=world.server) as client:
            await world.phone(rui).link(client)
            await client.send(bia.jid, Text("to Bia"))
            await bia.expect("to Bia")
            await bia.say(rui, "from Bia")
            await world.phone(rui).say("Bia", "from Rui's phone")
            await world.phone(rui).expect("from Rui's phone")
            await world.expect_nothing_pending(JID.parse(str(client.device)))
        await store.open()
        await _write(store, path)
        await store.close()
        return path

    return made


async def _write(store: Store, path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        if not db.execute("SELECT 1 FROM sqlite_master").fetchone():
            db.executescript(SCHEMA)
        async with store.transaction() as tx:
            own = await tx.credentials()
            assert own is not None and own.account is not None and own.lid is not None and own.signed_identity
            signed = adv_pb2.ADVSignedDeviceIdentity.FromString(own.signed_identity)
            key = own.signed_prekey
            jid = str(own.account)
            device: tuple[Any, ...] = (
                *(jid, str(own.lid), None, own.registration_id, own.noise.private, own.identity.private),
                *(key.pair.private, key.id, key.signature, own.adv_secret, signed.details, signed.account_signature),
                *(signed.account_signature_key, signed.device_signature, own.platform, "", own.push_name),
            )
            db.execute(f"INSERT INTO whatsmeow_device ({_DEVICE}) VALUES ({','.join('?' * len(device))})", device)
            for id in await tx.prekey_ids():
                pair = await tx.prekey(id)
                assert pair is not None
                db.execute("INSERT INTO whatsmeow_pre_keys VALUES (?, ?, ?, 1)", (jid, id, pair.private))
            await _sessions(tx, db, jid)


async def _sessions(tx: Any, db: sqlite3.Connection, own: str) -> None:
    for name in await tx._overlay.scan("session-"):
        user, _, number = name.removeprefix("session-").rpartition(".")
        lid = JID(user.partition("_")[0], "lid", int(number))
        record = await tx.session(lid)
        phone = await tx.phone_of(lid.bare)
        if record is not None:
            row = (own, f"{lid.user}_1:{lid.device}", serialised(record))
            db.execute("INSERT OR REPLACE INTO whatsmeow_sessions VALUES (?, ?, ?)", row)
        if phone is not None:
            db.execute("INSERT OR REPLACE INTO whatsmeow_lid_map VALUES (?, ?)", (lid.user, phone.user))


def serialised(record: SessionRecord) -> bytes:
    """A record of ours as libsignal serialises it."""
    previous = [_structure(decode_state(state)) for state in record.archived]
    return wire.RecordStructure(current=_structure(record.current), previous=previous).SerializeToString()


def _structure(state: State) -> wire.SessionStructure:
    ratchet = state.ratchet
    told = wire.SessionStructure(
        version=3,
        remote_identity=b"\x05" + state.remote_identity,
        root_key=ratchet.root,
        previous_counter=ratchet.previous,
        sending=wire.Chain(
            ratchet_key=b"\x05" + ratchet.pair.public,
            ratchet_private=ratchet.pair.private,
            chain_key=wire.ChainKey(index=ratchet.sent, key=ratchet.sending),
        ),
        remote_registration_id=state.remote_registration_id,
        alice_base_key=b"\x05" + state.base_key,
    )
    for chain in reversed(ratchet.receiving):
        told.receiving.add(
            ratchet_key=b"\x05" + chain.ratchet, chain_key=wire.ChainKey(index=chain.position, key=chain.key)
        )
    if state.offer is not None:
        told.pending.prekey_id, told.pending.signed_prekey_id = state.offer.prekey_id or 0, state.offer.signed_prekey_id
        told.pending.base_key = b"\x05" + state.base_key
    return told
