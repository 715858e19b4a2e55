"""
Linking by a code that is typed on the phone: the server passes on what the two devices tell each other, and the phone
does its half.

    ← <iq type="set" xmlns="md"><link_code_companion_reg stage="companion_hello" jid= …>   → <link_code_pairing_ref/>
    <notification type="link_code_companion_reg">…stage="primary_hello"                    the code was typed
    ← <iq type="set" xmlns="md"><link_code_companion_reg stage="companion_finish">          then as after a scan

Another code than the one shown gives other keys on both sides, and the bundle does not open: `problem` says so, and the
code may be typed again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recado.emulator.whatsapp import linking
from recado.emulator.whatsapp.accounts import Account
from recado.emulator.whatsapp.delivery import SERVER
from recado.emulator.whatsapp.faults import Fault
from recado.emulator.whatsapp.handlers.query import Refused, result
from recado.emulator.whatsapp.line import Deliver, Outgoing
from recado.errors import DecodeError, PairingExpired
from recado.jid import JID
from recado.protocol.crypto.curve import KeyPair, agree
from recado.protocol.node import Node
from recado.protocol.pairing import code as codes
from recado.protocol.stanzas import linking as stanzas

if TYPE_CHECKING:
    from recado.emulator.whatsapp.linking import Newcomer
    from recado.emulator.whatsapp.phone import Phone
    from recado.emulator.whatsapp.world import World

_DISPLAY = re.compile(r"[A-Za-z ]+ \([A-Za-z ]+\)")


@dataclass(slots=True, eq=False)
class CodeRound:
    """One attempt: whose account, the client's wrapped key, and what the phone agreed on once the code was typed."""

    account: Account
    ref: bytes = field(repr=False)
    wrapped: bytes = field(repr=False)
    shared: bytes = field(default=b"", repr=False)
    problem: str = ""


def on_stanza(world: World, newcomer: Newcomer, node: Node) -> list[Outgoing]:
    """The client's part of the exchange. Raises Refused."""
    told = node.child(stanzas.CODE) or Node(stanzas.CODE)
    if told.attrs.get("stage") == "companion_hello":
        return _hello(world, newcomer, node, told)
    if told.attrs.get("stage") == "companion_finish":
        return _finish(world, newcomer, node, told)
    raise Refused(400, "bad-request")


def type_code(phone: Phone, typed: str) -> Newcomer:
    """
    A person types a code. Raises DecodeError when it cannot be one, PairingExpired when nobody wants to be linked to
    this account by a code.
    """
    world, code = phone.world, codes.read_code(typed)
    waiting = [each for each in world.newcomers if each.code is not None and each.account is None]
    newcomer = next((each for each in waiting if each.code and each.code.account is phone.account), None)
    if newcomer is None or newcomer.code is None:
        raise PairingExpired
    attempt, pair = newcomer.code, KeyPair.generate(world.entropy)
    attempt.problem = ""
    attempt.shared = agree(pair.private, codes.unwrap(code, attempt.wrapped))
    wrapped = codes.wrap(code, pair.public, entropy=world.entropy)
    children = stanzas.code_typed(attempt.ref, phone.keyring.own.pair.public, wrapped)
    world.transmit([Deliver(newcomer.line, world.notification(stanzas.CODE, SERVER, children))])
    return newcomer


def ask_for_another(world: World, newcomer: Newcomer) -> None:
    """The server wants the code replaced."""
    if newcomer.code is not None:
        said = world.notification(stanzas.CODE, SERVER, stanzas.code_stale(newcomer.code.ref))
        world.transmit([Deliver(newcomer.line, said)])


def _hello(world: World, newcomer: Newcomer, node: Node, told: Node) -> list[Outgoing]:
    account = _account(world, told)
    refused = world.faults.take(Fault.REFUSE_CODE, account.devices[0])
    if refused is not None:
        raise Refused(refused.code, "refused")
    wrapped = (told.child("link_code_pairing_wrapped_companion_ephemeral_pub") or Node("")).blob
    display = (told.child("companion_platform_display") or Node("")).text
    key = (told.child("companion_server_auth_key_pub") or Node("")).blob
    if len(wrapped) != codes.WRAPPED or not _DISPLAY.fullmatch(display) or key != newcomer.noise:
        raise Refused(400, "bad-request")
    newcomer.code = CodeRound(account, world.entropy(20).hex().encode(), wrapped)
    ref = Node("link_code_pairing_ref", None, newcomer.code.ref)
    return [Deliver(newcomer.line, result(node, [Node(stanzas.CODE, None, [ref])]))]


def _finish(world: World, newcomer: Newcomer, node: Node, told: Node) -> list[Outgoing]:
    attempt = newcomer.code
    ref = (told.child("link_code_pairing_ref") or Node("")).blob
    if attempt is None or attempt.ref != ref or not attempt.shared or _account(world, told) is not attempt.account:
        raise Refused(404, "item-not-found")
    outgoing: list[Outgoing] = [Deliver(newcomer.line, result(node))]
    sealed = (told.child("link_code_pairing_wrapped_key_bundle") or Node("")).blob
    phone = world.phones[attempt.account.name]
    own = phone.keyring.own.pair
    try:
        bundle = codes.open_bundle(attempt.shared, sealed)
        secret = codes.adv_secret(attempt.shared, own, bundle.companion, bundle.random)
    except DecodeError:
        attempt.problem = "the code is wrong"
        return outgoing
    if (bundle.companion, bundle.primary) != (newcomer.keys.identity, own.public):
        attempt.problem = "the keys are somebody else's"
        return outgoing
    return outgoing + linking.accept(world, newcomer, attempt.account, *phone.vouch_for(bundle.companion, secret))


def _account(world: World, told: Node) -> Account:
    try:
        account = world.directory.account(JID.parse(told.attrs.get("jid", "")))
    except ValueError:
        account = None
    if account is None:
        raise Refused(404, "item-not-found")
    return account
