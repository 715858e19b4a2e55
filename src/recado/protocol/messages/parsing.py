"""
The outermost layers of a message: its protobuf, and the wrappers around what is said that only tell how to show it.
"""

from __future__ import annotations

from google.protobuf.message import DecodeError as ProtobufError

from recado.errors import DecodeError
from recado.protocol.proto.e2e_pb2 import Message

WRAPPERS = (
    "ephemeral_message",
    "view_once_message",
    "view_once_message_v2",
    "view_once_message_v2_extension",
    "document_with_caption_message",
    "edited_message",
    "group_mentioned_message",
    "bot_invoke_message",
    "associated_child_message",
    "group_status_message",
    "group_status_message_v2",
    "lottie_sticker_message",
    "poll_creation_message_v4",
    "question_message",
    "question_reply_message",
    "bot_forwarded_message",
    "limit_sharing_message",
    "event_cover_image",
)
ONCE = frozenset({"view_once_message", "view_once_message_v2", "view_once_message_v2_extension"})
MAX_WRAPPERS = 8


def parse_message(plaintext: bytes) -> Message:
    """The protobuf of an unpadded plaintext. Raises DecodeError."""
    try:
        return Message.FromString(plaintext)
    except ProtobufError as error:
        raise DecodeError("a message is not well-formed") from error


def unwrap(message: Message) -> Message:
    """The message inside the wrappers that only say how to show it. Raises DecodeError when they nest too deep."""
    return layers(message)[0]


def layers(message: Message) -> tuple[Message, tuple[str, ...]]:
    """The message inside, and the names of what was around it, outermost first. Raises DecodeError."""
    passed: list[str] = []
    for _ in range(MAX_WRAPPERS):
        wrapper = next((name for name in WRAPPERS if message.HasField(name)), None)
        if wrapper is None:
            return message, tuple(passed)
        passed.append(wrapper)
        message = getattr(message, wrapper).message
    raise DecodeError("a message is wrapped too often")
