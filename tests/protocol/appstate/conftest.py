"""Vectors made by Baileys, and the patches of ours that it reads; see tests/protocol/vectors/PROVENANCE.md."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from recado.jid import JID
from recado.protocol.appstate import actions
from recado.protocol.appstate.actions import Action, LastMessage, MessageKey
from recado.protocol.appstate.keys import ExpandedKey, expand
from recado.protocol.appstate.patches import Standing, indexes_of, make_patch
from recado.protocol.appstate.writing import writes_of

FILE = Path(__file__).parents[1] / "vectors" / "appstate.json"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEY = expand(bytes.fromhex("000100000001"), hashlib.sha256(b"app state key").digest())
CHAT = JID("550000000002", "s.whatsapp.net")
GROUP = JID("120000000000000001", "g.us")
LID = JID("100000000000002", "lid")
THEIRS = MessageKey(CHAT, "3EB0STAR", False)
IN_GROUP = MessageKey(GROUP, "3EB0GROUP", False, CHAT)

WRITTEN: list[Action] = [
    actions.Archive(CHAT, True, LastMessage(NOW, THEIRS)),
    actions.PinChat(CHAT, True),
    actions.Archive(CHAT, False),
    actions.Mute(CHAT, True, datetime(2026, 12, 1, tzinfo=UTC)),
    actions.Mute(GROUP, True),
    actions.Mute(CHAT, False),
    actions.MarkRead(CHAT, False, LastMessage(NOW, IN_GROUP)),
    actions.Lock(CHAT, True),
    actions.ClearChat(CHAT, keeps_starred=True, deletes_media=True),
    actions.DeleteChat(CHAT, deletes_media=True),
    actions.Star(THEIRS, True),
    actions.Star(IN_GROUP, True),
    actions.DeleteForMe(IN_GROUP, True, NOW),
    actions.NameContact(CHAT, "Bia Souza", "Bia", LID),
    actions.NameContact(JID("550000000003", "s.whatsapp.net"), "Caio"),
    actions.NameContact(CHAT, is_removed=True),
    actions.SetPushName("Ana Lúcia"),
    actions.EditLabel("5", "Novo", 3),
    actions.LabelChat("5", CHAT, True),
    actions.LabelMessage("5", CHAT, "3EB0STAR", True),
    actions.MuteStatus(CHAT, True),
    actions.ChangeSetting("unarchive_chats", "on"),
    actions.ChangeSetting("locale", "pt_BR"),
    actions.ChangeSetting("twenty_four_hours", "on"),
    actions.ChangeSetting("link_previews", "off"),
]


ALSO_WRITTEN: list[Action] = [
    actions.NameContact(LID, "Bia Souza", "Bia", LID),
    actions.NameContact(LID, is_removed=True),
    actions.EditQuickReply("1795000001", "/oi", "olá", ("oi",)),
    actions.EditQuickReply("1795000001", is_deleted=True),
    actions.ChooseFavorites((CHAT, GROUP)),
    actions.ChangeSetting("status_privacy", "deny_list", (CHAT,)),
    actions.ChangeSetting("security_notifications", "on"),
]
"""What is written too; Baileys was not asked to read it."""


class Dice:
    """Bytes that look random and are the same in every run."""

    def __init__(self, seed: str) -> None:
        self._seed, self._turn = seed, 0

    def __call__(self, size: int) -> bytes:
        self._turn += 1
        return hashlib.shake_256(f"{self._seed} {self._turn}".encode()).digest(size)


def patches_of(
    written: list[Action], key: ExpandedKey = KEY, entropy: Callable[[int], bytes] | None = None
) -> dict[str, list[bytes]]:
    """The patches recado makes of these, one on top of the other, by collection."""
    dice = entropy or Dice("ours")
    patches: dict[str, list[bytes]] = {}
    standings: dict[str, Standing] = {}
    macs: dict[str, dict[bytes, bytes]] = {}
    for action in written:
        writes = writes_of(action, at=NOW)
        name = writes[0].collection
        known = {place: macs[name][place] for place in indexes_of(writes, key) if place in macs.setdefault(name, {})}
        patch, step = make_patch(name, standings.get(name, Standing()), writes, key=key, known=known, entropy=dice)
        patch.version.version = step.standing.version
        standings[name] = step.standing
        for place, mac in step.macs.items():
            macs[name].pop(place, None) if mac is None else macs[name].update({place: mac})
        patches.setdefault(name.value, []).append(patch.SerializeToString())
    return patches


@pytest.fixture(scope="session")
def vectors() -> dict[str, Any]:
    return json.loads(FILE.read_text())


@pytest.fixture(scope="session")
def baileys(vectors: dict[str, Any]) -> dict[str, Any]:
    return vectors["baileys"]
