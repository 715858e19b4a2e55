"""Whole links that Baileys had with a peer, replayed byte for byte against both of our roles (vectors/noise.json)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from recado.protocol.crypto.curve import KeyPair
from recado.protocol.link import Established, Link, NodeReceived

LINKS = json.loads((Path(__file__).parent / "vectors" / "noise.json").read_text())["links"]


def pair(link: dict[str, Any], name: str) -> KeyPair:
    return KeyPair.from_private(bytes.fromhex(link[name]))


def ids(link: Link) -> list[str]:
    """The ids of the nodes received, each of which must be the ping that Baileys encoded."""
    received = [event.node for event in link.events() if isinstance(event, NodeReceived)]
    assert all(node.tag == "iq" and node.child("ping") is not None for node in received)
    return [node.attrs["id"] for node in received]


@pytest.mark.parametrize("vector", LINKS, ids=lambda vector: vector["name"])
def test_our_client_puts_baileys_bytes_on_the_wire(vector: dict[str, Any]) -> None:
    client = Link.client(
        identity=pair(vector, "client_static"),
        payload=bytes.fromhex(vector["payload"]),
        root=bytes.fromhex(vector["root"]),
        ephemeral=pair(vector, "client_ephemeral"),
        now=datetime(2026, 6, 1, tzinfo=UTC),
        routing=bytes.fromhex(vector["routing"]) if vector["routing"] else None,
    )
    assert client.data_to_send().hex() == vector["client_hello"]
    client.receive(bytes.fromhex(vector["server_hello"]))
    assert client.data_to_send().hex() == vector["client_finish"]
    assert list(client.events()) == [Established(pair(vector, "server_static").public)]
    client.receive(bytes.fromhex("".join(vector["from_server"])))
    assert ids(client) == ["10", "11", "12"]


@pytest.mark.parametrize("vector", LINKS, ids=lambda vector: vector["name"])
def test_our_server_takes_baileys_bytes_and_answers_what_it_accepted(vector: dict[str, Any]) -> None:
    server = Link.server(
        static=pair(vector, "server_static"),
        chain=bytes.fromhex(vector["chain"]),
        ephemeral=pair(vector, "server_ephemeral"),
    )
    server.receive(bytes.fromhex(vector["client_hello"]))
    assert server.data_to_send().hex() == vector["server_hello"]
    server.receive(bytes.fromhex(vector["client_finish"]))
    assert list(server.events()) == [
        Established(pair(vector, "client_static").public, bytes.fromhex(vector["payload"]))
    ]
    server.receive(bytes.fromhex("".join(vector["from_client"])))
    assert ids(server) == ["0", "1", "2"]
