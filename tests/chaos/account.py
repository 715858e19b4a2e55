"""One account of a run: a mentorado with its key, the phone it is linked to, and what has been said in this round."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import aiohttp
from tests.proof.ledger import Ledger
from tests.proof.records import Records
from tests.proof.wiretap import Wiretap

from recado.emulator.whatsapp.phone import Phone
from recado.errors import PairingExpired
from recado.jid import JID


@dataclass(eq=False)
class Account:
    """See above; a `Subject` of the judge."""

    owner: Phone
    mentorado: UUID
    token: str = field(repr=False)
    wiretap: Wiretap
    friends: list[Phone]
    records: Records = field(init=False)
    """Set when it is judged."""
    ledger: Ledger = field(default_factory=Ledger)
    speaking: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while something is being queued: what one caller queues, it queues in order."""
    given: Mapping[str, int] = field(default_factory=dict)

    @property
    def device(self) -> JID:
        (companion,) = self.owner.account.companions
        return companion.phone

    @property
    def root(self) -> str:
        """Its part of the API."""
        return f"/v1/mentorados/{self.mentorado}"

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    def released(self) -> Mapping[str, int]:
        return self.given

    async def link(self, session: aiohttp.ClientSession, url: str) -> None:
        """Do what a person does: ask for the connection, scan the code that is shown, wait until it is connected."""
        asked = await session.post(f"{url}{self.root}/connections/baileys/connect", headers=self.headers)
        asked.raise_for_status()
        scanned = ""
        while True:  # a page takes its stream up again when it ends
            async with session.get(f"{url}{self.root}/events/stream", headers=self.headers) as stream:
                async for kind, data in server_sent(stream):
                    connection = data["connections"][0] if kind == "connection" and data.get("connections") else {}
                    step = connection.get("step")
                    if connection.get("state") == "qr" and step and step["text"] != scanned:
                        scanned = step["text"]
                        with suppress(PairingExpired):
                            self.owner.vouch(scanned)
                    if connection.get("state") == "connected" and self.owner.account.companions:
                        return
                    if connection.get("state") in ("failed", "logged_out"):
                        said = f"{connection['state']}, {connection.get('reason')}"
                        raise AssertionError(f"{self.owner.name} could not be linked: {said}")


async def server_sent(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """The events of a stream, with their names."""
    fields: dict[str, str] = {}
    async for raw in response.content:
        line = raw.decode().rstrip("\n")
        if not line and "data" in fields:
            yield fields.get("event", ""), json.loads(fields["data"]) | {"#": fields.get("id")}
        name, _, value = line.partition(": ")
        fields = fields | {name: value} if line else {}
