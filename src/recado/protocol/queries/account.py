"""
Questions and orders about the own account and connection.

    <iq xmlns="passive" type="set"><active/></iq>
    <iq xmlns="abt" type="get"><props protocol="1" hash?/></iq>   →  <props hash="…"><prop config_code config_value/>…
    <iq xmlns="blocklist" type="get"/>                            →  <list><item jid="…"/>…</list>
    <iq xmlns="privacy" type="get"><privacy/></iq>                →  <privacy><category name="…" value="…"/>…</privacy>
    <iq xmlns="md" type="set"><remove-companion-device jid="…" reason="user_initiated"/></iq>
    <iq xmlns="urn:xmpp:whatsapp:dirty" type="set"><clean type="…" timestamp?/></iq>
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.query import ask, raise_for_error, tell


@dataclass(frozen=True, slots=True)
class GoActive:
    """From now on messages come by themselves."""

    def build(self) -> Node:
        """The order."""
        return tell("passive", Node("active"))

    def parse(self, answer: Node) -> None:
        """Nothing: done."""
        raise_for_error(answer)


@dataclass(frozen=True, slots=True)
class ServerProps:
    """The server's switches, by number; `hash` tells whether they changed."""

    hash: str | None
    refresh_seconds: int | None
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Props:
    """The server's switches; with the `hash` of those we have, only what changed."""

    hash: str | None = None

    def build(self) -> Node:
        """The question."""
        attrs = {"protocol": "1"} if self.hash is None else {"protocol": "1", "hash": self.hash}
        return ask("abt", Node("props", attrs))

    def parse(self, answer: Node) -> ServerProps:
        """What they are."""
        raise_for_error(answer)
        reader = answer.read()
        props = reader.child("props")
        reader.done()
        inner = props.read()
        return ServerProps(
            inner.opt_str("hash"), inner.opt_int("refresh"), _pairs(props, "prop", "config_code", "config_value")
        )


@dataclass(frozen=True, slots=True)
class Blocklist:
    """Whom the account blocks."""

    def build(self) -> Node:
        """The question."""
        return ask("blocklist")

    def parse(self, answer: Node) -> frozenset[JID]:
        """Their addresses."""
        raise_for_error(answer)
        listed = answer.child("list")
        items = [] if listed is None else [item.read().opt_jid("jid") for item in listed.all("item")]
        return frozenset(jid for jid in items if jid is not None)


@dataclass(frozen=True, slots=True)
class Privacy:
    """The account's privacy settings."""

    def build(self) -> Node:
        """The question."""
        return ask("privacy", Node("privacy"))

    def parse(self, answer: Node) -> dict[str, str]:
        """Each setting by name (readreceipts, last, online, …): all, contacts, none, …"""
        raise_for_error(answer)
        reader = answer.read()
        privacy = reader.child("privacy")
        reader.done()
        return _pairs(privacy, "category", "name", "value")


@dataclass(frozen=True, slots=True)
class RemoveCompanion:
    """Unlink `device` (this one: log out)."""

    device: JID
    reason: str = "user_initiated"

    def build(self) -> Node:
        """The order."""
        return tell("md", Node("remove-companion-device", {"jid": str(self.device), "reason": self.reason}))

    def parse(self, answer: Node) -> None:
        """Nothing: done."""
        raise_for_error(answer)


@dataclass(frozen=True, slots=True)
class CleanDirty:
    """What was out of date (`kind`) is fetched; `since` is the time of the state before."""

    kind: str
    since: datetime | None = None

    def build(self) -> Node:
        """The order."""
        attrs = {"type": self.kind}
        if self.since is not None:
            attrs["timestamp"] = str(int(self.since.timestamp()))
        return tell("urn:xmpp:whatsapp:dirty", Node("clean", attrs))

    def parse(self, answer: Node) -> None:
        """Nothing: noted."""
        raise_for_error(answer)


def _pairs(parent: Node, tag: str, name: str, value: str) -> dict[str, str]:
    return {
        child.attrs[name]: child.attrs[value]
        for child in parent.all(tag)
        if name in child.attrs and value in child.attrs
    }
