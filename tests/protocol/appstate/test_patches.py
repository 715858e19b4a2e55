"""Patches and snapshots: what we write we read, and nothing that was touched on the way is believed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recado.errors import AppStateCorrupted, AppStateKeyMissing, DecodeError, UsageError
from recado.jid import JID
from recado.protocol.appstate import actions, macs
from recado.protocol.appstate.actions import OtherAction
from recado.protocol.appstate.collections import Collection
from recado.protocol.appstate.keys import expand
from recado.protocol.appstate.lthash import EMPTY, mixed
from recado.protocol.appstate.mutation import Mutation, Write
from recado.protocol.appstate.patches import (
    Standing,
    apply_patch,
    apply_snapshot,
    make_patch,
    read_mutations,
    read_patch,
    read_snapshot,
    touched,
)
from recado.protocol.appstate.reading import read_action
from recado.protocol.appstate.writing import writes_of
from recado.protocol.proto import appstate_pb2 as wire

from .conftest import ALSO_WRITTEN, CHAT, GROUP, IN_GROUP, KEY, NOW, WRITTEN, Dice

LOW = Collection.REGULAR_LOW
KEYS = {KEY.id: KEY}
OTHER = expand(b"\0\1\0\0\0\2", bytes(32))


def patch_of(*written: actions.Action) -> wire.SyncdPatch:
    writes = [write for action in written for write in writes_of(action, at=NOW)]
    patch, step = make_patch(LOW, Standing(), writes, key=KEY, known={}, entropy=Dice("p"))
    patch.version.version = step.standing.version
    return patch


def applied(patch: wire.SyncdPatch) -> list[actions.Action]:
    step = apply_patch(LOW, Standing(), patch, KEYS, {})
    return [read_action(mutation) for mutation in step.mutations]


@pytest.mark.parametrize("action", [*WRITTEN, *ALSO_WRITTEN], ids=lambda action: type(action).__name__)
def test_what_is_written_is_read(action: actions.Action) -> None:
    writes = writes_of(action, at=NOW)
    patch, made = make_patch(writes[0].collection, Standing(), writes, key=KEY, known={}, entropy=Dice("x"))
    patch.version.version = 1
    step = apply_patch(writes[0].collection, Standing(), read_patch(patch.SerializeToString()), KEYS, {})
    assert (step.standing, dict(step.macs)) == (made.standing, dict(made.macs))
    read = read_action(step.mutations[0])
    assert type(read) is type(action)
    for name in ("chat", "message", "contact", "name", "value", "is_archived", "is_pinned", "until", "is_muted", "id"):
        assert getattr(read, name, None) == getattr(action, name, None)


def test_what_is_put_away_does_not_stay_on_top() -> None:
    archive, pin = applied(patch_of(actions.Archive(CHAT, True)))
    assert archive == actions.Archive(CHAT, True, actions.LastMessage(NOW))
    assert pin == actions.PinChat(CHAT, False, NOW)


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=12))
@settings(max_examples=60)
def test_patches_one_by_one_lead_where_the_snapshot_stands(steps: list[tuple[int, bool]]) -> None:
    standing, known, records, dice = Standing(), {}, {}, Dice("walk")
    last = None
    for chat, is_set in steps:
        value = wire.SyncActionValue(pin_action=wire.PinAction(pinned=True))
        write = Write(LOW, ("pin_v1", f"{chat}@s.whatsapp.net"), value, 5, is_removal=not is_set)
        patch, made = make_patch(LOW, standing, [write], key=KEY, known=known, entropy=dice)
        patch.version.version = made.standing.version
        step = apply_patch(
            LOW, standing, patch, KEYS, {place: known[place] for place in touched(patch) if place in known}
        )
        assert step.standing == made.standing
        standing, last = step.standing, patch
        for place, mac in step.macs.items():
            if mac is None:
                del known[place], records[place]
            else:
                known[place], records[place] = mac, patch.mutations[0].record
    if last is not None:
        whole = wire.SyncdSnapshot(
            version=wire.SyncdVersion(version=standing.version),
            records=list(records.values()),
            mac=last.snapshot_mac,
            key_id=last.key_id,
        )
        assert apply_snapshot(LOW, whole, KEYS).standing == standing


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=8), st.randoms())
def test_the_hash_does_not_care_for_the_order(entries: list[bytes], dice: object) -> None:
    shuffled = list(entries)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    whole = mixed(EMPTY, added=entries)
    assert mixed(EMPTY, added=shuffled) == whole
    assert mixed(whole, removed=shuffled) == EMPTY


@given(st.data())
@settings(max_examples=150)
def test_no_bit_of_a_patch_may_change(data: st.DataObject) -> None:
    blob = bytearray(patch_of(actions.Archive(CHAT, True)).SerializeToString())
    place = data.draw(st.integers(0, len(blob) * 8 - 1))
    blob[place // 8] ^= 1 << place % 8
    patch = None
    try:
        patch = read_patch(bytes(blob))
        step = apply_patch(LOW, Standing(), patch, KEYS, {})
    except (AppStateCorrupted, AppStateKeyMissing, DecodeError):
        return
    # Only what nothing depends on may have changed: a field's number, into one nobody reads, is not among it.
    assert step.standing == apply_patch(LOW, Standing(), patch_of(actions.Archive(CHAT, True)), KEYS, {}).standing


def test_a_patch_of_another_collection_is_not_believed() -> None:
    with pytest.raises(AppStateCorrupted):
        apply_patch(Collection.REGULAR_HIGH, Standing(), patch_of(actions.PinChat(CHAT, True)), KEYS, {})


def test_a_patch_on_top_of_something_else_is_not_believed() -> None:
    patch = patch_of(actions.PinChat(CHAT, True))
    with pytest.raises(AppStateCorrupted):
        apply_patch(LOW, Standing(1, mixed(EMPTY, added=[bytes(32)])), patch, KEYS, {})


@pytest.mark.parametrize("spoil", ["patch_mac", "snapshot_mac", "version", "value", "index", "operation", "short"])
def test_each_mac_is_checked(spoil: str) -> None:
    patch = patch_of(actions.PinChat(CHAT, True))
    record = patch.mutations[0].record
    match spoil:
        case "patch_mac":
            patch.patch_mac = bytes(32)
        case "snapshot_mac":
            patch.snapshot_mac = bytes(32)
        case "version":
            patch.version.version += 1
        case "value":
            record.value.blob = bytes((record.value.blob[0] ^ 1,)) + record.value.blob[1:]
        case "index":
            record.index.blob = bytes(32)
        case "operation":
            patch.mutations[0].operation = wire.SyncdMutation.REMOVE
        case "short":
            record.value.blob = record.value.blob[:40]
    with pytest.raises(AppStateCorrupted):
        apply_patch(LOW, Standing(), patch, KEYS, {})


def test_an_entry_that_lies_about_its_index_is_not_believed_even_under_a_right_patch_mac() -> None:
    patch = patch_of(actions.PinChat(CHAT, True))
    patch.mutations[0].record.index.blob = bytes(32)
    mac = patch.mutations[0].record.value.blob[-32:]
    patch.patch_mac = macs.patch_mac(KEY, patch.snapshot_mac, [mac], 1, LOW)
    with pytest.raises(AppStateCorrupted):
        apply_patch(LOW, Standing(), patch, KEYS, {})


def test_a_value_that_was_touched_is_not_believed_though_it_still_reads() -> None:
    value = wire.SyncActionValue(nct_salt_sync_action=wire.NctSaltSyncAction(salt=bytes(80)))
    write = Write(LOW, ("nct_salt_sync",), value, 1)
    patch, _ = make_patch(LOW, Standing(), [write], key=KEY, known={}, entropy=Dice("s"))
    patch.version.version = 1
    blob = bytearray(patch.mutations[0].record.value.blob)
    blob[16 + 48] ^= 1  # within the salt: index and padding stay as they are, and no other MAC is over it
    patch.mutations[0].record.value.blob = bytes(blob)
    with pytest.raises(AppStateCorrupted):
        apply_patch(LOW, Standing(), patch, KEYS, {})


def test_a_snapshot_with_an_entry_taken_out_is_not_believed() -> None:
    patch = patch_of(actions.Archive(CHAT, True))
    records = [mutation.record for mutation in patch.mutations]
    whole = wire.SyncdSnapshot(
        version=patch.version, records=records, mac=patch.snapshot_mac, key_id=wire.KeyId(id=KEY.id)
    )
    assert apply_snapshot(LOW, whole, KEYS).standing.version == 1
    del whole.records[1]
    with pytest.raises(AppStateCorrupted):
        apply_snapshot(LOW, whole, KEYS)


def test_a_key_that_is_not_there_is_named() -> None:
    patch = patch_of(actions.PinChat(CHAT, True))
    with pytest.raises(AppStateKeyMissing) as caught:
        apply_patch(LOW, Standing(), patch, {OTHER.id: OTHER}, {})
    assert caught.value.ids == (KEY.id,)
    with pytest.raises(AppStateKeyMissing):
        apply_snapshot(LOW, wire.SyncdSnapshot(key_id=wire.KeyId(id=KEY.id)), {})


def test_removing_what_is_not_there_changes_nothing() -> None:
    gone = writes_of(actions.NameContact(CHAT, is_removed=True), at=NOW)
    _, step = make_patch(gone[0].collection, Standing(), gone, key=KEY, known={}, entropy=Dice("r"))
    assert (step.standing.hash, dict(step.macs)) == (EMPTY, {})


@pytest.mark.parametrize(
    "index",
    [
        (),
        ("archive",),
        ("star", "5@lid"),
        ("archive", "x:y@lid"),
        ("label_jid", "5"),
        ("pnForLidChat", "7@lid"),
        ("nux",),
    ],
)
def test_what_does_not_read_is_kept_whole(index: tuple[str, ...]) -> None:
    data = wire.SyncActionData(index=b"x", value=wire.SyncActionValue(timestamp=1)).SerializeToString()
    action = read_action(Mutation(True, index, data, b"", b""))
    assert action == OtherAction(index, True, data)


def test_a_time_beyond_all_calendars_is_kept_whole() -> None:
    value = wire.SyncActionValue(mute_action=wire.MuteAction(muted=True, mute_end_timestamp=2**62))
    data = wire.SyncActionData(value=value).SerializeToString()
    assert isinstance(read_action(Mutation(True, ("mute", "5@lid"), data, b"", b"")), OtherAction)


def test_what_is_only_read_cannot_be_written() -> None:
    for action in (actions.NewSalt(b"x"), OtherAction((), True, b""), actions.ChangeSetting("relay_calls", "on")):
        with pytest.raises(UsageError):
            writes_of(action, at=NOW)


def test_bytes_that_are_nothing_are_refused() -> None:
    for read in (read_patch, read_snapshot, read_mutations):
        with pytest.raises(DecodeError):
            read(b"\xff\xff")


def test_no_repr_shows_a_key_or_a_name() -> None:
    shown = repr([KEY, *WRITTEN, patch_of, Mutation(True, ("contact", "secret"), b"secret", b"", b"")])
    assert KEY.value.hex() not in shown
    assert all(word not in shown for word in ("Souza", "Lúcia", "secret", "550000000002"))


def test_addresses_lose_their_device() -> None:
    value = wire.SyncActionValue(pin_action=wire.PinAction(pinned=True))
    data = wire.SyncActionData(value=value).SerializeToString()
    mutation = Mutation(True, ("pin_v1", "550000000002:3@s.whatsapp.net"), data, b"", b"")
    assert read_action(mutation) == actions.PinChat(JID("550000000002", "s.whatsapp.net"), True)


@pytest.mark.parametrize(
    ("index", "said"),
    [
        (("archive", str(CHAT)), actions.Archive(CHAT, False)),
        (("pin_v1", str(CHAT)), actions.PinChat(CHAT, False)),
        (("mute", str(CHAT)), actions.Mute(CHAT, False)),
        (("lock", str(CHAT)), actions.Lock(CHAT, False)),
        (("star", str(GROUP), "3EB0GROUP", "0", str(CHAT)), actions.Star(IN_GROUP, False)),
        (("userStatusMute", str(CHAT)), actions.MuteStatus(CHAT, False)),
        (("label_edit", "5"), actions.EditLabel("5", is_deleted=True)),
        (("label_jid", "5", str(CHAT)), actions.LabelChat("5", CHAT, False)),
        (("label_message", "5", str(CHAT), "3EB0", "0", "0"), actions.LabelMessage("5", CHAT, "3EB0", False)),
        (("quick_reply", "17"), actions.EditQuickReply("17", is_deleted=True)),
        (("favorites",), actions.ChooseFavorites(())),
    ],
    ids=lambda value: value[0] if isinstance(value[0] if isinstance(value, tuple) else None, str) else "",
)
def test_an_entry_that_was_removed_says_what_is_no_longer_so(index: tuple[str, ...], said: actions.Action) -> None:
    assert read_action(Mutation(False, index, b"", b"", b"")) == said


@pytest.mark.parametrize("mode", [4, -1])
def test_a_privacy_of_status_posts_nobody_knows_is_kept_whole(mode: int) -> None:
    data = wire.SyncActionData(value=wire.SyncActionValue(status_privacy=wire.StatusPrivacyAction(mode=mode)))
    mutation = Mutation(True, ("status_privacy",), data.SerializeToString(), b"", b"")
    assert isinstance(read_action(mutation), OtherAction)
