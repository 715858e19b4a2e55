"""Held against Baileys: keys, the hash, its patches and snapshots as we read them, and what it read in ours."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from recado.protocol.appstate import actions
from recado.protocol.appstate.actions import LastMessage, MessageKey
from recado.protocol.appstate.collections import Collection
from recado.protocol.appstate.keys import expand
from recado.protocol.appstate.lthash import EMPTY, mixed
from recado.protocol.appstate.patches import Standing, apply_patch, apply_snapshot, read_patch, read_snapshot, touched
from recado.protocol.appstate.reading import read_action

from .conftest import CHAT, GROUP, KEY, LID, WRITTEN, patches_of

AT = datetime.fromtimestamp(1795000000, UTC)
STAR = MessageKey(CHAT, "3EB0STAR", False)
SAID = [
    actions.Archive(CHAT, True, LastMessage(AT)),
    actions.PinChat(CHAT, True),
    actions.Mute(CHAT, True, datetime.fromtimestamp(1795999999, UTC)),
    actions.Mute(GROUP, False),
    actions.MarkRead(CHAT, False, LastMessage(AT)),
    actions.Archive(CHAT, False, LastMessage(AT)),
    actions.Star(STAR, True),
    actions.Star(MessageKey(CHAT, "3EB0STAR", True), False),
    actions.DeleteForMe(STAR, True, AT),
    actions.ClearChat(CHAT, last=LastMessage(AT)),
    actions.DeleteChat(CHAT, True, LastMessage(AT)),
    actions.SetPushName("Ana Lúcia"),
    actions.NameContact(CHAT, "Bia Souza", "Bia", LID, CHAT),
    actions.NameContact(CHAT, is_removed=True),
    actions.ChangeSetting("link_previews", "off"),
    actions.EditQuickReply("1795000001", "/oi", "olá"),
    actions.EditLabel("5", "Novo", 3),
    actions.LabelChat("5", CHAT, True),
    actions.LabelChat("5", CHAT, False),
    actions.LabelMessage("5", CHAT, "3EB0STAR", True),
]


def test_a_shared_key_comes_to_the_same_five(baileys: dict[str, Any]) -> None:
    theirs = {name: bytes.fromhex(value) for name, value in baileys["key"].items()}
    key = expand(theirs["id"], theirs["data"])
    for name in ("index", "value", "value_mac", "snapshot_mac", "patch_mac"):
        assert getattr(key, name) == theirs[name]


def test_the_hash_adds_and_takes_away_as_theirs(baileys: dict[str, Any]) -> None:
    macs = [bytes.fromhex(mac) for mac in baileys["lthash"]["macs"]]
    three = mixed(EMPTY, added=macs)
    assert three.hex() == baileys["lthash"]["three"]
    assert mixed(three, removed=[macs[1]]).hex() == baileys["lthash"]["without_two"]


def test_every_patch_of_theirs_is_believed_and_read(baileys: dict[str, Any]) -> None:
    standings: dict[str, Standing] = {}
    macs: dict[str, dict[bytes, bytes]] = {}
    for each, said in zip(baileys["patches"], SAID, strict=True):
        name = each["collection"]
        patch, known = read_patch(bytes.fromhex(each["patch"])), macs.setdefault(name, {})
        before = {place: known[place] for place in touched(patch) if place in known}
        step = apply_patch(Collection(name), standings.get(name, Standing()), patch, {KEY.id: KEY}, before)
        assert (step.standing.version, step.standing.hash.hex()) == (each["at"], each["hash"])
        (mutation,) = step.mutations
        assert (mutation.index, mutation.is_set) == (tuple(each["index"]), not each["removes"])
        action = read_action(mutation)
        if isinstance(action, actions.PinChat):
            assert action.at is not None
            action = actions.PinChat(action.chat, action.is_pinned)
        assert action == said
        standings[name] = step.standing
        for place, mac in step.macs.items():
            known.pop(place, None) if mac is None else known.update({place: mac})


@pytest.mark.parametrize("name", list(Collection))
def test_a_snapshot_of_theirs_is_where_the_patches_lead(baileys: dict[str, Any], name: Collection) -> None:
    theirs = baileys["snapshots"][name]
    step = apply_snapshot(name, read_snapshot(bytes.fromhex(theirs["snapshot"])), {KEY.id: KEY})
    assert (step.standing.version, step.standing.hash.hex()) == (theirs["version"], theirs["hash"])


def test_they_read_in_our_patches_what_we_wrote(vectors: dict[str, Any]) -> None:
    ours = patches_of(WRITTEN)
    assert {name: [blob.hex() for blob in blobs] for name, blobs in ours.items()} == vectors["ours"]
    for name, reads in vectors["baileys"]["reads"].items():
        standing = Standing()
        macs: dict[bytes, bytes] = {}
        for blob in ours[name]:
            patch = read_patch(blob)
            step = apply_patch(Collection(name), standing, patch, {KEY.id: KEY}, macs)
            standing = step.standing
            for place, mac in step.macs.items():
                macs.pop(place, None) if mac is None else macs.update({place: mac})
        assert (standing.version, standing.hash.hex()) == (reads["version"], reads["hash"])
    labels = [entry for entry in vectors["baileys"]["reads"]["regular"]["entries"] if entry["index"][0] == "label_edit"]
    assert labels[0]["value"]["labelEditAction"] == {"name": "Novo", "color": 3, "deleted": False}
    (name,) = vectors["baileys"]["reads"]["critical_block"]["entries"][:1]
    assert (name["index"], name["value"]["pushNameSetting"]) == (["setting_pushName"], {"name": "Ana Lúcia"})
