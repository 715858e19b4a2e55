from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from recado.errors import StanzaError
from recado.protocol.node import Node
from recado.protocol.stanzas.presence import ChatState, PresenceStanza, available, chat_state, unavailable


def test_our_own_presence() -> None:
    assert available("Ana") == Node("presence", {"type": "available", "name": "Ana"})
    assert unavailable(None) == Node("presence", {"type": "unavailable"})


def test_somebody_comes_and_goes(who: SimpleNamespace) -> None:
    assert PresenceStanza.parse(Node("presence", {"from": str(who.bia)})) == PresenceStanza(who.bia, True)
    gone = Node("presence", {"from": str(who.bia), "type": "unavailable", "last": "1795000000"})
    assert PresenceStanza.parse(gone) == PresenceStanza(who.bia, False, datetime.fromtimestamp(1795000000, UTC))


@pytest.mark.parametrize("last", ["deny", "none", "error", ""])
def test_somebody_who_hides_the_time_is_only_gone(who: SimpleNamespace, last: str) -> None:
    gone = Node("presence", {"from": str(who.bia), "type": "unavailable", "last": last})
    assert PresenceStanza.parse(gone) == PresenceStanza(who.bia, False)


def test_presence_of_nobody_is_refused() -> None:
    with pytest.raises(StanzaError):
        PresenceStanza.parse(Node("presence", {"type": "unavailable"}))


@pytest.mark.parametrize(("is_typing", "is_audio"), [(True, False), (True, True), (False, False)])
def test_typing_is_sent_and_read(who: SimpleNamespace, is_typing: bool, is_audio: bool) -> None:
    node = chat_state(who.own.bare, sender=who.bia.with_device(2), is_typing=is_typing, is_audio=is_audio)
    read = ChatState.parse(node, own=who.own, own_lid=who.own_lid)
    assert read == ChatState(who.bia, who.bia.with_device(2), is_typing, is_audio)


def test_typing_in_a_group_names_who(who: SimpleNamespace) -> None:
    node = Node("chatstate", {"from": str(who.group), "participant": str(who.bia_lid)}, [Node("composing")])
    assert ChatState.parse(node, own=who.own) == ChatState(who.group, who.bia_lid, True)


@pytest.mark.parametrize(
    ("node", "missing"),
    [
        (Node("chatstate", None, [Node("paused")]), {"from"}),
        (Node("chatstate", {"from": "1@g.us"}, [Node("paused")]), {"participant"}),
        (Node("chatstate", {"from": "1@lid"}), {"<composing>"}),
        (Node("chatstate", {"from": "1@lid"}, [Node("dancing")]), {"<composing>"}),
    ],
)
def test_what_is_missing_is_named(who: SimpleNamespace, node: Node, missing: set[str]) -> None:
    with pytest.raises(StanzaError) as refused:
        ChatState.parse(node, own=who.own)
    assert set(refused.value.missing) == missing
