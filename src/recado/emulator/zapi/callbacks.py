"""
The bodies of Z-API's callbacks, as values made from values: who wrote what in which chat, seen from one instance.
The field is spelt `momment` there; it is in milliseconds, but in seconds where an instance says it was disconnected.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from recado.emulator.zapi.people import Group, Message, Phone

if TYPE_CHECKING:
    from recado.emulator.zapi.instances import Instance, Queued

Body = dict[str, Any]


def milliseconds(at: datetime) -> int:
    """A moment as most callbacks write it."""
    return int(at.timestamp() * 1000)


def received(instance: Instance, message: Message, at: datetime, *, waits: bool = False) -> Body:
    """A ReceivedCallback: somebody wrote, or the instance's own number did (fromMe)."""
    body = _frame(instance, message, at)
    body["waitingMessage"] = waits
    if waits:
        return body
    body["forwarded"] = message.is_forwarded
    body["fromApi"] = message.is_from_api
    if message.quoting is not None:
        body["referenceMessageId"] = message.quoting
    if message.is_revoked:
        body["notification"] = "REVOKE"
        body["referenceMessageId"] = message.id
        return body
    body.update(_content(instance, message))
    return body


def delivery(instance: Instance, queued: Queued, at: datetime, error: str | None = None) -> Body:
    """A DeliveryCallback: the message has reached WhatsApp (not the contact), or why it did not."""
    body = {
        "type": "DeliveryCallback",
        "phone": queued.to,
        "zaapId": queued.zaap_id,
        "messageId": queued.message_id,
        "instanceId": instance.id,
        "momment": milliseconds(at),
    }
    if error is not None:
        body["error"] = error
    return body


def status(instance: Instance, word: str, ids: list[str], chat: Phone | Group, at: datetime) -> Body:
    """A MessageStatusCallback: SENT, RECEIVED, READ, READ_BY_ME or PLAYED, for one message or several."""
    return {
        "type": "MessageStatusCallback",
        "instanceId": instance.id,
        "status": word,
        "ids": ids,
        "momment": milliseconds(at),
        "phoneDevice": 0,
        "phone": _address(chat),
        "isGroup": _is_group(chat),
    }


def connected(instance: Instance, at: datetime) -> Body:
    """A ConnectedCallback."""
    return {
        "type": "ConnectedCallback",
        "connected": True,
        "momment": milliseconds(at),
        "phone": instance.phone.number if instance.phone else None,
        "instanceId": instance.id,
    }


def disconnected(instance: Instance, at: datetime) -> Body:
    """A DisconnectedCallback; its moment is in seconds."""
    return {
        "type": "DisconnectedCallback",
        "momment": int(at.timestamp()),
        "error": "Device has been disconnected",
        "disconnected": True,
        "instanceId": instance.id,
    }


def presence(instance: Instance, phone: Phone, word: str) -> Body:
    """A PresenceChatCallback."""
    return {
        "type": "PresenceChatCallback",
        "phone": phone.address,
        "status": word,
        "lastSeen": None,
        "instanceId": instance.id,
    }


def _frame(instance: Instance, message: Message, at: datetime) -> Body:
    """What every ReceivedCallback of a chat carries."""
    own, writer, chat = instance.phone, message.sender, _chat_of(instance, message)
    several = chat if isinstance(chat, Group) else None
    participant = writer if several is not None and not several.is_newsletter else None
    return {
        "type": "ReceivedCallback",
        "instanceId": instance.id,
        "messageId": message.id,
        "phone": _address(chat),
        "fromMe": writer is own,
        "momment": milliseconds(at),
        "status": "SENT" if writer is own else "RECEIVED",
        "chatName": chat.name,
        "senderPhoto": None,
        "senderName": writer.name,
        "senderLid": writer.lid,
        "chatLid": chat.lid if isinstance(chat, Phone) else None,
        "photo": None,
        "connectedPhone": own.number if own else None,
        "participantPhone": participant.address if participant else None,
        "participantLid": participant.lid if participant else None,
        "isGroup": _is_group(chat),
        "isNewsletter": several is not None and several.is_newsletter,
        "isEdit": message.is_edit,
        "isStatusReply": False,
        "broadcast": False,
        "waitingMessage": False,
        "messageExpirationSeconds": 0,
    }


def _content(instance: Instance, message: Message) -> Body:
    target = message.about
    if target is None:
        return message.content
    return {
        "reaction": {
            **message.content["reaction"],
            "time": milliseconds(message.at),
            "reactionBy": message.sender.address,
            "referencedMessage": {
                "messageId": target.id,
                "fromMe": target.sender is instance.phone,
                "phone": _address(_chat_of(instance, target)),
                "participant": target.sender.address if isinstance(target.chat, Group) else None,
            },
        }
    }


def _chat_of(instance: Instance, message: Message) -> Phone | Group:
    """The chat a message stands in, seen from the instance: in a talk of two that is the other one."""
    if isinstance(message.chat, Group) or message.sender is instance.phone:
        return message.chat
    return message.sender


def _address(chat: Phone | Group) -> str:
    return chat.id if isinstance(chat, Group) else chat.address


def _is_group(chat: Phone | Group) -> bool:
    return isinstance(chat, Group) and not chat.is_newsletter
