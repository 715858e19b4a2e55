"""What WhatsApp certifies of a business comes beside its messages, and no broken certificate costs a message."""

from __future__ import annotations

from typing import Any

import pytest

from recado.content import Text
from recado.emulator.whatsapp.handlers import messages
from recado.emulator.whatsapp.phone import Phone
from recado.emulator.whatsapp.world import World
from recado.events import MessageReceived


async def test_a_business_is_told_by_its_certified_name_and_a_person_by_none(
    story: Any, world: World, ana: Phone, bia: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with story.connected() as client:

        async def heard(words: str) -> MessageReceived:
            await bia.say(ana, words)
            fact: MessageReceived
            async for fact in client.listen(MessageReceived, after=0):
                if fact.content == Text(words):
                    return fact
            raise AssertionError("the client ended")

        assert (await heard("a person")).verified_name is None
        bia.person.become_business("Bia Sells")
        assert (await heard("a shop")).verified_name == "Bia Sells"
        for broken in (b"\xff", b"\x0a\x01\xff", b""):
            monkeypatch.setattr(messages, "make_verified_name", lambda name, broken=broken: broken)
            assert (await heard(f"certified by {broken!r}")).verified_name is None
        await world.expect_nothing_pending(client.account)
