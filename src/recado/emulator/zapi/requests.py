"""
What each route of an instance does, as functions of a call: they move the world and give the JSON of the answer (None:
204). The table ROUTES names them by their first word and method.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recado.emulator.zapi import linking
from recado.emulator.zapi.callbacks import milliseconds
from recado.emulator.zapi.instances import Hook, Instance, Linked, Queued
from recado.emulator.zapi.people import Group, Phone
from recado.emulator.zapi.refusals import Refused
from recado.emulator.zapi.sends import SENDS, address_of, optional_text, seconds_of, text_of

if TYPE_CHECKING:
    from recado.emulator.zapi.world import ZApi

MULTI_DEVICE = "Does not work in multi device version"

_PAGE, _LONGEST_PAGE = 20, 30


@dataclass(frozen=True, slots=True)
class Call:
    """One request that was let in."""

    world: ZApi
    instance: Instance
    verb: str
    rest: str
    body: dict[str, Any]
    query: dict[str, str]


Answer = dict[str, Any] | list[dict[str, Any]] | None


def qr_code(call: Call) -> Answer:
    """The text of the QR code, or its picture."""
    if call.instance.linked is not Linked.NO:
        return {"connected": call.instance.is_connected, "error": linking.ALREADY}
    code = linking.qr_code(call.world, call.instance)
    return {"value": linking.picture(code.text) if call.rest == "image" else code.text}


def phone_code(call: Call) -> Answer:
    """A code that the phone of that number can enter."""
    if call.instance.linked is not Linked.NO:
        return {"connected": call.instance.is_connected, "error": linking.ALREADY}
    if not call.rest.isdigit():
        raise Refused(400, "Invalid phone")
    return {"code": linking.phone_code(call.world, call.instance, call.rest).text}


def status(call: Call) -> Answer:
    """Whether it is connected."""
    return linking.state(call.instance)


def me(call: Call) -> Answer:
    """The instance's own data."""
    instance = call.instance
    named = {
        "connectedCallbackUrl": Hook.CONNECTED,
        "deliveryCallbackUrl": Hook.DELIVERY,
        "disconnectedCallbackUrl": Hook.DISCONNECTED,
        "messageStatusCallbackUrl": Hook.STATUS,
        "presenceChatCallbackUrl": Hook.PRESENCE,
        "receivedCallbackUrl": Hook.RECEIVED,
    }
    return {
        "id": instance.id,
        "token": instance.token,
        "name": instance.name,
        "due": milliseconds(instance.due),
        "connected": instance.is_connected,
        "paymentStatus": "TRIAL",
        "created": instance.created.isoformat(),
        **{name: instance.hooks.get(hook) for name, hook in named.items()},
        "receiveCallbackSentByMe": instance.notifies_sent_by_me,
        "callRejectAuto": False,
        "callRejectMessage": None,
        "autoReadMessage": False,
        "initialDataCallbackUrl": None,
    }


def device(call: Call) -> Answer:
    """The linked phone."""
    phone = _owner(call)
    return {
        "phone": phone.number,
        "imgUrl": None,
        "about": "",
        "name": phone.name,
        "device": {"sessionName": "Z-API", "device_model": "Z-API"},
        "originalDevice": "smba",
        "sessionId": call.instance.sessions,
        "isBusiness": False,
    }


def disconnect(call: Call) -> Answer:
    """Log out."""
    linking.log_out(call.world, call.instance)
    return {"value": True}


def restart(call: Call) -> Answer:
    """Start anew."""
    linking.restart(call.world, call.instance)
    return {"value": True}


def restore_session(call: Call) -> Answer:
    """Connect again with the session there is."""
    return {"value": linking.restore(call.world, call.instance)}


def update_webhook(call: Call) -> Answer:
    """Set the address of one kind of callback."""
    name = call.verb.removeprefix("update-webhook-")
    sent_by_me = name == "received-delivery"
    hook = Hook.RECEIVED if sent_by_me else Hook(name)
    call.instance.hooks[hook] = _address(call)
    if sent_by_me:
        call.instance.notifies_sent_by_me = True
    return {"value": True}


def update_every_webhook(call: Call) -> Answer:
    """Set the address of all callbacks."""
    url = _address(call)
    call.instance.hooks.update(dict.fromkeys(Hook, url))
    if "notifySentByMe" in call.body:
        call.instance.notifies_sent_by_me = _flag(call, "notifySentByMe")
    return {"value": True}


def notify_sent_by_me(call: Call) -> Answer:
    """Ask for own messages too, or not."""
    call.instance.notifies_sent_by_me = _flag(call, "notifySentByMe")
    return {"value": True}


def update_queue_settings(call: Call) -> Answer:
    """Let messages wait while disconnected, or not."""
    call.instance.queues_while_disconnected = not _flag(call, "disableEnqueueWhenDisconnected")
    return {"success": True}


def send(call: Call) -> Answer:
    """Take a message: from now on it is one, whatever becomes of the answer."""
    world, body, row = call.world, dict(call.body), SENDS[call.verb]
    to = address_of(body)
    if call.verb == "send-document":
        body["extension"] = call.rest or _missing("extension")
    for name in row.required:
        text_of(body, name)
    queued = Queued(
        zaap_id=world.new_id(16),
        message_id=world.new_message_id(),
        verb=call.verb,
        to=to,
        content=row.content(body, world.media.take),
        created=world.clock.now(),
        text=optional_text(body, "message") or optional_text(body, "caption"),
        quoting=optional_text(body, "messageId") or None,
        edits=optional_text(body, "editMessageId") or optional_text(body, "editDocumentMessageId") or None,
        delay_message=seconds_of(body, "delayMessage"),
        delay_typing=seconds_of(body, "delayTyping"),
    )
    may_wait = not (world.request_flag and body.get("disableEnqueueWhenDisconnected") is True)
    world.sending.accept(call.instance, queued, may_wait=may_wait)
    return {"zaapId": queued.zaap_id, "messageId": queued.message_id, "id": queued.message_id}


def read_message(call: Call) -> Answer:
    """Mark a message as read."""
    address_of(call.body)
    message_id = text_of(call.body, "messageId")
    if not call.world.speech.read_one(_owner(call), message_id):
        raise Refused(400, "Message not found")
    return None


def delete_message(call: Call) -> Answer:
    """Delete an own message for everybody."""
    shown = _owner(call).find(call.query.get("messageId", ""))
    if shown is None:
        raise Refused(400, "Message not found")
    if call.query.get("owner") == "true" and shown.from_me:
        call.world.speech.revoke(shown.message)
    return None


def phone_exists(call: Call) -> Answer:
    """Whether a number is on WhatsApp, as WhatsApp writes it, and its LID."""
    _owner(call)
    if not call.rest.isdigit():
        raise Refused(400, "Invalid phone")
    found = call.world.chat_at(call.rest)
    if not isinstance(found, Phone):
        return {"exists": False, "phone": call.rest, "lid": None}
    return {"exists": True, "phone": found.number, "lid": found.lid}


def chats(call: Call) -> Answer:
    """The chats of the linked phone, the latest first."""
    phone = _owner(call)
    listed: dict[str, dict[str, Any]] = {}
    for shown in reversed(phone.messages):
        chat = shown.message.chat if isinstance(shown.message.chat, Group) or shown.from_me else shown.message.sender
        address = chat.id if isinstance(chat, Group) else chat.address
        row = listed.setdefault(
            address,
            {
                "phone": address,
                "name": chat.name,
                "unread": "0",
                "messagesUnread": 0,
                "lastMessageTime": str(milliseconds(shown.message.at)),
                "archived": "false",
                "pinned": "false",
                "isMuted": "0",
                "isMarkedSpam": "false",
                "isGroup": isinstance(chat, Group) and not chat.is_newsletter,
                "isGroupAnnouncement": False,
                "lid": None if isinstance(chat, Group) else chat.lid,
            },
        )
        if not shown.from_me and not shown.is_read:
            row["messagesUnread"] += 1
            row["unread"] = str(row["messagesUnread"])
    return _paged(call, list(listed.values()))


def contacts(call: Call) -> Answer:
    """Everybody else there is."""
    phone = _owner(call)
    others = [each for each in call.world.phones.values() if each is not phone]
    return _paged(
        call,
        [
            {
                "phone": each.address,
                "name": each.name,
                "short": each.name.split()[0],
                "vname": each.name,
                "notify": each.name,
            }
            for each in others
        ],
    )


def queue(call: Call) -> Answer:
    """A page of what waits to go out."""
    size = call.body.get("pageSize", _PAGE)
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise Refused(400, "Invalid pageSize")
    size, waiting = min(size, _LONGEST_PAGE), list(call.instance.queue)
    start = _place(call.body.get("pagingState"))
    page = waiting[start : start + size]
    has_more = start + size < len(waiting)
    return {
        "messages": [_queued(call.instance, each) for each in page],
        "pagingState": b64encode(str(start + size).encode()).decode() if has_more else None,
        "hasMore": has_more,
    }


def delete_queue(call: Call) -> Answer:
    """Empty the queue, or take one message out of it."""
    kept = [each for each in call.instance.queue if call.rest and each.zaap_id != call.rest]
    call.instance.queue.clear()
    call.instance.queue.extend(kept)
    return {"value": True}


def chat_messages(call: Call) -> Answer:
    """There is no history: Z-API keeps no messages."""
    raise Refused(400, MULTI_DEVICE)


def create_on_demand(world: ZApi, body: dict[str, Any]) -> dict[str, Any]:
    """A partner's new instance. Raises Refused."""
    instance = world.create_instance(text_of(body, "name"))
    named = {
        "receivedCallbackUrl": Hook.RECEIVED,
        "receivedAndDeliveryCallbackUrl": Hook.RECEIVED,
        "deliveryCallbackUrl": Hook.DELIVERY,
        "messageStatusCallbackUrl": Hook.STATUS,
        "connectedCallbackUrl": Hook.CONNECTED,
        "disconnectedCallbackUrl": Hook.DISCONNECTED,
        "presenceChatCallbackUrl": Hook.PRESENCE,
    }
    for name, hook in named.items():
        if isinstance(body.get(name), str):
            instance.hooks[hook] = body[name]
    instance.notifies_sent_by_me = bool(body.get("receivedAndDeliveryCallbackUrl"))
    instance.queues_while_disconnected = body.get("disableEnqueueWhenDisconnected") is not True
    return {"id": instance.id, "token": instance.token, "due": str(milliseconds(instance.due))}


def _owner(call: Call) -> Phone:
    phone = call.instance.phone
    if phone is None or not call.instance.is_connected:
        raise Refused(400, linking.NOT_CONNECTED)
    return phone


def _missing(name: str) -> str:
    raise Refused(400, f"{name} is required")


def _flag(call: Call, name: str) -> bool:
    value = call.body.get(name)
    if not isinstance(value, bool):
        raise Refused(400, f"{name} must be true or false")
    return value


def _address(call: Call) -> str:
    url = text_of(call.body, "value")
    if not url.startswith("https://" if call.world.https_only else ("https://", "http://")):
        raise Refused(400, "The webhook must be an HTTPS address")
    return url


def _paged(call: Call, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    try:
        page, size = int(call.query.get("page", "1")), int(call.query.get("pageSize", "50"))
    except ValueError:
        raise Refused(400, "Invalid page") from None
    return rows[max(page - 1, 0) * size :][:size] if size > 0 else []


def _place(state: object) -> int:
    if state is None:
        return 0
    try:
        return max(0, int(b64decode(str(state), validate=True)))
    except (ValueError, BadBase64):
        raise Refused(400, "Invalid pagingState") from None


def _queued(instance: Instance, each: Queued) -> dict[str, Any]:
    return {
        "_id": each.zaap_id,
        "ZaapId": each.zaap_id,
        "MessageId": each.message_id,
        "InstanceId": instance.id,
        "Phone": each.to,
        "Message": each.text,
        "DelayMessage": each.delay_message or -1,
        "DelayTyping": each.delay_typing,
        "Created": milliseconds(each.created),
        "CreatedAt": each.created.isoformat(timespec="milliseconds"),
        "Beta": False,
        "IsTrial": False,
    }


ROUTES: dict[str, dict[str, Callable[[Call], Answer]]] = {
    "qr-code": {"GET": qr_code},
    "phone-code": {"GET": phone_code},
    "status": {"GET": status},
    "me": {"GET": me},
    "device": {"GET": device},
    "disconnect": {"GET": disconnect},
    "restart": {"GET": restart},
    "restore-session": {"GET": restore_session},
    **{f"update-webhook-{hook}": {"PUT": update_webhook} for hook in (*Hook, "received-delivery")},
    "update-every-webhooks": {"PUT": update_every_webhook},
    "update-notify-sent-by-me": {"PUT": notify_sent_by_me},
    "update-queue-settings": {"PUT": update_queue_settings},
    **{verb: {"POST": send} for verb in SENDS},
    "read-message": {"POST": read_message},
    "messages": {"DELETE": delete_message},
    "phone-exists": {"GET": phone_exists},
    "chats": {"GET": chats},
    "contacts": {"GET": contacts},
    "queue": {"POST": queue, "DELETE": delete_queue},
    "chat-messages": {"GET": chat_messages},
}
