"""
`phone.person`: what a person does on their phone besides writing: shows things, blocks, trusts, calls, moves to another
number, is locked out of writing first. Everything a client could do goes the very road a client's stanzas go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Account
from recado.emulator.whatsapp.delivery import post
from recado.emulator.whatsapp.handlers import calls
from recado.emulator.whatsapp.handlers.people import tell_cap, tell_time_lock
from recado.emulator.whatsapp.line import Outgoing
from recado.errors import UsageError
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.pictures import SetPicture
from recado.protocol.queries.profile import SetAbout, SetDefaultTimer, SetPrivacy
from recado.protocol.queries.tokens import IssueToken

if TYPE_CHECKING:
    from recado.emulator.whatsapp.phone import Phone


class Person:
    """One phone's person. `calls` says how each call they made stands, by its id."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self._world = phone.world
        self.calls: dict[str, str] = {}
        self._called: dict[str, Account] = {}

    # ---- what is shown

    def set_about(self, about: str) -> None:
        """Say something else of oneself."""
        self._order(SetAbout(about).build())

    def set_picture(self, jpeg: bytes | None) -> None:
        """Show a picture, or (None) none."""
        self._order(SetPicture(jpeg).build())

    def set_privacy(self, setting: str, value: str) -> None:
        """Let others or fewer see something."""
        self._order(SetPrivacy(setting, value).build())

    def set_timer(self, seconds: int) -> None:
        """Begin chats with another timer."""
        self._order(SetDefaultTimer(seconds).build())

    def become_business(self, name: str) -> None:
        """Be certified under that name."""
        self._phone.account.profile.business = name

    def order(self, business: Phone, lines: Sequence[tuple[str, int]]) -> tuple[str, str]:
        """Order so many of some products of a business; the order's id, and the token that shows it."""
        id, token = str(int.from_bytes(self._world.entropy(6), "big")), self._world.entropy(12).hex()
        shop = business.account.profile.shop
        shop.orders[id] = {"token": token, "lines": [list(line) for line in lines], "at": self._world.seconds()}
        return id, token

    # ---- whom one deals with

    def block(self, other: Phone, *, blocked: bool = True) -> None:
        """Block somebody, or no longer."""
        attrs = {"action": "block" if blocked else "unblock", "jid": str(other.lid), "pn_jid": str(other.jid)}
        self._order(_iq("blocklist", Node("item", attrs)))

    def trust(self, other: Phone) -> None:
        """Give somebody a token of trust."""
        self._order(IssueToken((other.jid,), self._world.clock.now()).build())

    def lock(self, *, seconds: int | None = 3600) -> None:
        """WhatsApp forbids the account to write first, for so long; None ends it."""
        profile = self._phone.account.profile
        profile.is_locked = seconds is not None
        profile.locked_until = self._world.seconds() + (seconds or 0)
        self._world.transmit(tell_time_lock(self._world, self._phone.account))

    def cap(self, status: str, *, quota: int, used: int, seconds: int = 3600) -> None:
        """WhatsApp counts with how many people the account begins to write: so many of so many, in that cycle."""
        now = self._world.seconds()
        self._phone.account.profile.cap = {
            "capping_status": status,
            "total_quota": quota,
            "used_quota": used,
            "cycle_start_timestamp": str(now),
            "cycle_end_timestamp": str(now + seconds),
            "server_sent_timestamp": str(now),
        }
        self._world.transmit(tell_cap(self._world, self._phone.account))

    # ---- calls

    def call(self, other: Phone, *, is_video: bool = False) -> str:
        """Call somebody; the call's id."""
        id = self._world.new_id()
        self.calls[id] = "offered"
        self._called[id] = other.account
        self._world.transmit(calls.offer(self._world, self._phone.account, other.account, id, is_video=is_video))
        return id

    def hang_up(self, id: str, *, unanswered: bool = False) -> None:
        """End a call one made; `unanswered`: it rang for too long."""
        called = self._called.get(id)
        if called is None:
            raise UsageError("there is no such call of this phone")
        self.calls[id] = "ended"
        reason = "timeout" if unanswered else None
        self._world.transmit(calls.end(self._world, self._phone.account, called, id, reason))

    # ---- moving

    def change_number(self, number: str) -> None:
        """Move to another number: linked devices are off, the LID stays, and everybody written with is told."""
        world, account, old = self._world, self._phone.account, self._phone.account.phone
        for companion in account.companions:
            world.transmit(world.remove(companion))
        world.directory.renumber(account, number)
        for phone in world.phones.values():
            phone.inbox.rename(old, account.phone)
            phone.account.contacts = {account.number if each == old.user else each for each in phone.account.contacts}
        lid = str(account.lid)
        moved = Node("modify", {"old": str(old), "new": str(account.phone), "old_lid": lid, "new_lid": lid})
        outgoing: list[Outgoing] = []
        for other in [world.directory.account(JID.phone(each)) for each in sorted(account.contacts)]:
            for device in other.devices.values() if other is not None else ():
                outgoing += post(world, device, world.notification("contacts", str(old), [moved]))
        world.transmit(outgoing)

    def _order(self, node: Node) -> None:
        node.attrs["id"] = self._world.new_id()
        answer = self._world.ask(self._phone.device, node)
        if answer.attrs.get("type") == "error":
            raise UsageError("the server refused that")


def _iq(about: str, *children: Node) -> Node:
    return Node("iq", {"to": "@s.whatsapp.net", "xmlns": about, "type": "set"}, list(children))
