"""
What a machine (WhatsApp calls them bots) and who asked it say to each other. The question goes as any message, with the
machine's persona beside its secret; the answer is sealed with what is derived from that secret, and not padded:

    answer key = HKDF(HKDF(secret, info = "Bot Message"), info = id ‖ asker ‖ machine)      bound to: id, 0, machine

where `id` is that of the answer, or, of a later part of the same answer, that of its first. A machine that is called
into another chat gets what the others get, with the inner HKDF's result in place of the secret.
"""

from __future__ import annotations

from google.protobuf.message import DecodeError as ProtobufError

from recado.errors import DecodeError, UsageError
from recado.jid import BOT, JID
from recado.protocol.crypto.keys import hkdf
from recado.protocol.crypto.symmetric import gcm_open, gcm_seal
from recado.protocol.messages.parsing import parse_message
from recado.protocol.messages.secrets import SECRET_SIZE, Use, secret_key
from recado.protocol.proto.e2e_pb2 import Message, MessageSecretMessage

META_AI = JID("867051314767696", BOT)
"""WhatsApp's own assistant."""
META_AI_PERSONA = "867051314767696$760019659443059"

_LABEL = b"Bot Message"


def with_persona(message: bytes, persona: str) -> bytes:
    """An encoded message to a machine, saying in which of its parts it is asked. Raises DecodeError."""
    asked = parse_message(message)
    asked.message_context_info.bot_metadata.persona_id = persona
    return asked.SerializeToString()


def calling(message: bytes, persona: str | None) -> bytes:
    """An encoded text as everybody in the chat gets it when a machine is called in. Raises DecodeError, UsageError."""
    said = parse_message(message)
    if not (said.HasField("conversation") or said.HasField("extended_text_message")):
        raise UsageError("a machine is asked in words")
    called = Message()
    asked = called.bot_invoke_message.message
    asked.extended_text_message.CopyFrom(said.extended_text_message)
    if said.HasField("conversation"):
        asked.extended_text_message.text = said.conversation
    called.message_context_info.CopyFrom(said.message_context_info)
    if persona is not None:
        for context in (called.message_context_info, asked.message_context_info):
            context.bot_metadata.persona_id = persona
    return called.SerializeToString()


def for_machine(called: bytes) -> bytes:
    """The same as the machine gets it: it learns what its answers are sealed with, and not the secret. As `calling`."""
    said = parse_message(called)
    secret = said.message_context_info.message_secret
    if not said.HasField("bot_invoke_message") or len(secret) != SECRET_SIZE:
        raise UsageError("no machine is called in by that")
    said.message_context_info.ClearField("message_secret")
    said.message_context_info.bot_message_secret = answer_secret(secret)
    return said.SerializeToString()


def answer_secret(secret: bytes) -> bytes:
    """What the answers to the question with that secret are sealed with."""
    return hkdf(secret, SECRET_SIZE, info=_LABEL)


def open_answer(sealed: bytes, secret: bytes, *, id: str, asker: JID, machine: JID) -> bytes:
    """The unpadded message in an answer to the question with that `secret`. Raises DecodeError."""
    try:
        wrapped = MessageSecretMessage.FromString(sealed)
    except ProtobufError as error:
        raise DecodeError("an answer is not well-formed") from error
    key = _key(answer_secret(secret), id, asker, machine)
    return gcm_open(key, wrapped.enc_iv, wrapped.enc_payload, _bound(id, machine))


def seal_answer(message: bytes, derived: bytes, *, id: str, asker: JID, machine: JID, nonce: bytes) -> bytes:
    """The counterpart: how a machine seals its answer; `derived` is the question's `answer_secret`."""
    payload = gcm_seal(_key(derived, id, asker, machine), nonce, message, _bound(id, machine))
    return MessageSecretMessage(version=1, enc_iv=nonce, enc_payload=payload).SerializeToString()


def _key(derived: bytes, id: str, asker: JID, machine: JID) -> bytes:
    return secret_key(derived, Use.MACHINE, id=id, author=asker, writer=machine)


def _bound(id: str, machine: JID) -> bytes:
    return f"{id}\0{machine.bare}".encode()
