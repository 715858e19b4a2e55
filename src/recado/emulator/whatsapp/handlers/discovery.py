"""
How people and machines are found, and reported: short links, the list of bots, and reports.

    <iq xmlns="w:qr" type="set"><qr type="contact" action="get|revoke"/></iq>   →  <qr code=/>
    <iq xmlns="w:qr" type="get"><qr code=/></iq>   →  <qr jid= notify= type="contact"/> | with <message/><business/>
    <iq xmlns="bot" type="get"><bot v="2"/></iq>   →  <bot><section type="all"><bot jid= persona_id=/></section></bot>
    <iq xmlns="spam" type="set"><spam_list jid= spam_flow=><message id=/>…</spam_list></iq>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recado.emulator.whatsapp.accounts import Device
from recado.emulator.whatsapp.handlers.query import Answer, Refused
from recado.emulator.whatsapp.machine import ADDRESS, PERSONA
from recado.protocol.node import Node

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World


def on_own_link(world: World, device: Device, node: Node) -> Answer:
    """The account's own contact code, or a new one in its place."""
    asked = node.child("qr")
    if asked is None or asked.attrs.get("type") != "contact":
        raise Refused(400, "bad-request")
    profile = device.account.profile
    if asked.attrs.get("action") == "revoke" or not profile.contact_code:
        profile.contact_code = world.entropy(8).hex().upper()
    return Answer([Node("qr", {"code": profile.contact_code})])


def on_link(world: World, device: Device, node: Node) -> Answer:
    """Whom a code leads to."""
    asked = node.child("qr")
    code = asked.attrs.get("code", "") if asked is not None else ""
    for account in world.directory:
        profile, attrs = account.profile, {"jid": str(account.phone), "notify": account.name}
        if code and code == profile.contact_code:
            return Answer([Node("qr", {**attrs, "type": "contact"})])
        if code in profile.message_links:
            business = Node("business", {"is_signed": "true", "verified_name": profile.business})
            message = Node("message", None, profile.message_links[code].encode())
            return Answer([Node("qr", attrs, [message, business])])
    raise Refused(404, "item-not-found")


def on_bots(world: World, device: Device, node: Node) -> Answer:
    """Which machines there are."""
    section = Node(
        "section", {"type": "all", "name": "All"}, [Node("bot", {"jid": str(ADDRESS), "persona_id": PERSONA})]
    )
    return Answer([Node("bot", None, [section])])


def bot_profile(jid: str) -> Node | None:
    """What a machine tells of itself, as a column of a user query."""
    if jid != str(ADDRESS):
        return None
    command = Node("command", None, [Node("name", None, b"ask"), Node("description", None, b"Ask something")])
    prompt = Node("prompt", None, [Node("emoji", None, "💡".encode()), Node("text", None, b"An idea")])
    told = {"name": "Helper", "attributes": "", "description": "Answers questions", "category": "assistant"}
    children = [Node(tag, None, words.encode()) for tag, words in told.items()]
    children.append(Node("default"))
    children.append(Node("commands", None, [Node("description", None, b"What it can do"), command]))
    children.append(Node("prompts", None, [prompt]))
    return Node("bot", None, [Node("profile", {"persona_id": PERSONA}, children)])


def on_report(world: World, device: Device, node: Node) -> Answer:
    """Somebody is reported."""
    reported = node.child("spam_list")
    if reported is None or not {"jid", "spam_flow"} <= set(reported.attrs):
        raise Refused(400, "bad-request")
    ids = [message.attrs.get("id", "") for message in reported.all("message")]
    device.account.profile.reported.append([reported.attrs["jid"], *ids])
    return Answer()
