"""
Ask where files go and come from, and for leave to put them there.

    <iq xmlns="w:m" type="set"><media_conn/></iq>
    <media_conn auth="…" ttl="3600" auth_ttl? max_buckets?><host hostname="mmg.whatsapp.net"/>…</media_conn>
"""

from __future__ import annotations

from dataclasses import dataclass, field

from recado.errors import StanzaError
from recado.protocol.node import Node
from recado.protocol.queries.query import raise_for_error, tell


@dataclass(frozen=True, slots=True)
class MediaServers:
    """Host names (with a port, where it is not 443), the best first; `auth` is good for `ttl` seconds."""

    hosts: tuple[str, ...]
    auth: str = field(repr=False)
    ttl: int


@dataclass(frozen=True, slots=True)
class AskMediaServers:
    """Where files go, now."""

    def build(self) -> Node:
        """The question."""
        return tell("w:m", Node("media_conn"))

    def parse(self, answer: Node) -> MediaServers:
        """The servers. Raises QueryError, StanzaError."""
        raise_for_error(answer)
        reader = answer.read()
        told = reader.child("media_conn")
        reader.done()
        inner = told.read()
        auth, ttl = inner.str("auth"), inner.int("ttl")
        inner.done()
        hosts = tuple(host.attrs["hostname"] for host in told.all("host") if host.attrs.get("hostname"))
        if not hosts:
            raise StanzaError("media_conn", ["host"])
        return MediaServers(hosts, auth, ttl)
