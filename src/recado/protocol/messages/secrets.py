"""
A message's own 32-byte secret, and what others say about that message under it: votes, answers to events, edits and
some reactions. Each use, author and writer has a key of its own, so a vote cannot be passed off as somebody else's.

    key = HKDF(secret, info = id ‖ author ‖ writer ‖ use)      votes and answers authenticate id and writer besides
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from google.protobuf.message import DecodeError as ProtobufError

from recado.content import Answer, Comment, Content, Edit, Event, EventAnswer, PollVote, Reaction
from recado.errors import DecodeError
from recado.jid import JID
from recado.protocol.crypto.keys import hkdf
from recado.protocol.crypto.symmetric import gcm_open, gcm_seal
from recado.protocol.messages.parsing import parse_message, unwrap
from recado.protocol.messages.reading import edited
from recado.protocol.messages.targets import Target, read_key, write_key
from recado.protocol.messages.writing import write_content
from recado.protocol.proto import e2e_pb2 as wire
from recado.protocol.proto.e2e_pb2 import Message

SECRET_SIZE = 32
NONCE_SIZE = 12


class Use(StrEnum):
    """What a key made from a secret is for; the words are the wire's."""

    VOTE = "Poll Vote"
    ANSWER = "Event Response"
    REACTION = "Enc Reaction"
    COMMENT = "Enc Comment"
    EVENT_EDIT = "Event Edit"
    EDIT = "Message Edit"
    REPORT = "Report Token"
    MACHINE = ""


_AUTHENTICATED = (Use.VOTE, Use.ANSWER)
_EDITS = {
    wire.SecretEncryptedMessage.EVENT_EDIT: Use.EVENT_EDIT,
    wire.SecretEncryptedMessage.MESSAGE_EDIT: Use.EDIT,
}
_EDIT_NUMBERS = {use: number for number, use in _EDITS.items()}
_ANSWERS = {1: Answer.GOING, 2: Answer.NOT_GOING, 3: Answer.MAYBE}
_ANSWER_NUMBERS = {answer: number for number, answer in _ANSWERS.items()}


@dataclass(frozen=True, slots=True)
class Addition:
    """Something sealed with the secret of the message `target`."""

    use: Use
    target: Target
    payload: bytes = field(repr=False)
    nonce: bytes = field(repr=False)


def secret_key(secret: bytes, use: Use, *, id: str, author: JID, writer: JID) -> bytes:
    """The key by which `writer` says something about the message `id` of `author`."""
    info = "".join((id, str(author.bare), str(writer.bare), use)).encode()
    return hkdf(secret, SECRET_SIZE, info=info)


def read_addition(message: Message) -> Addition | None:
    """What an unwrapped message adds to another, sealed; None for anything else."""
    try:
        if message.HasField("poll_update_message"):
            vote = message.poll_update_message
            target = read_key(vote.poll_creation_message_key)
            return Addition(Use.VOTE, target, vote.vote.enc_payload, vote.vote.enc_iv)
        if message.HasField("enc_event_response_message"):
            answer = message.enc_event_response_message
            target = read_key(answer.event_creation_message_key)
            return Addition(Use.ANSWER, target, answer.enc_payload, answer.enc_iv)
        if message.HasField("enc_reaction_message"):
            reaction = message.enc_reaction_message
            target = read_key(reaction.target_message_key)
            return Addition(Use.REACTION, target, reaction.enc_payload, reaction.enc_iv)
        if message.HasField("enc_comment_message"):
            comment = message.enc_comment_message
            return Addition(Use.COMMENT, read_key(comment.target_message_key), comment.enc_payload, comment.enc_iv)
        if message.HasField("secret_encrypted_message"):
            edit = message.secret_encrypted_message
            use = _EDITS.get(edit.secret_enc_type)
            target = read_key(edit.target_message_key)
            return None if use is None else Addition(use, target, edit.enc_payload, edit.enc_iv)
    except DecodeError:
        return None  # it names no message: kept as it came
    return None


def open_addition(addition: Addition, secret: bytes, *, author: JID, writer: JID, options: tuple[str, ...]) -> Content:
    """
    What was added: `options` are those of the poll, when it is a vote. Raises DecodeError when it was not sealed so, or
    says nothing known.
    """
    key = secret_key(secret, addition.use, id=addition.target.id, author=author, writer=writer)
    plaintext = gcm_open(key, addition.nonce, addition.payload, _bound(addition.use, addition.target.id, writer))
    try:
        return _added(addition, plaintext, options)
    except ProtobufError as error:
        raise DecodeError("an addition is not well-formed") from error


def encode_vote(
    vote: PollVote, chat: JID, secret: bytes, *, author: JID, voter: JID, nonce: bytes, at: datetime
) -> bytes:
    """The message of a vote in the poll of `author`."""
    hashes = [option_hash(option) for option in vote.options]
    plaintext = wire.PollVoteMessage(selected_options=hashes).SerializeToString()
    payload = _seal(Use.VOTE, vote.poll, plaintext, secret, author, voter, nonce)
    key = write_key(Target(vote.poll, vote.from_me, vote.author), chat)
    update = wire.PollUpdateMessage(
        poll_creation_message_key=key,
        vote=wire.PollEncValue(enc_payload=payload, enc_iv=nonce),
        sender_timestamp_ms=int(at.timestamp() * 1000),
    )
    return Message(poll_update_message=update).SerializeToString()


def encode_answer(
    answer: EventAnswer, chat: JID, secret: bytes, *, author: JID, writer: JID, nonce: bytes, at: datetime
) -> bytes:
    """The message that answers the event of `author`."""
    said = wire.EventResponseMessage(timestamp_ms=int(at.timestamp() * 1000), extra_guest_count=answer.guests or None)
    said.response = _ANSWER_NUMBERS[answer.answer]  # type: ignore[assignment]
    payload = _seal(Use.ANSWER, answer.to, said.SerializeToString(), secret, author, writer, nonce)
    key = write_key(Target(answer.to, answer.from_me, answer.author), chat)
    part = wire.EncEventResponseMessage(event_creation_message_key=key, enc_payload=payload, enc_iv=nonce)
    return Message(enc_event_response_message=part).SerializeToString()


def encode_sealed(
    said: Reaction | Comment | Edit, chat: JID, secret: bytes, *, author: JID, writer: JID, nonce: bytes, at: datetime
) -> bytes:
    """The message of a comment on the message of `author`, or of a reaction or an edit that is sealed."""
    key = write_key(Target(said.to, said.from_me, said.author), chat)
    if isinstance(said, Edit):
        use = Use.EVENT_EDIT if isinstance(said.content, Event) else Use.EDIT
        plaintext = write_content(said, chat=chat, at=at).SerializeToString()
        edit = wire.SecretEncryptedMessage(
            target_message_key=key,
            enc_payload=_seal(use, said.to, plaintext, secret, author, writer, nonce),
            enc_iv=nonce,
            secret_enc_type=_EDIT_NUMBERS[use],
        )
        return Message(secret_encrypted_message=edit).SerializeToString()
    if isinstance(said, Comment):
        plaintext = Message(extended_text_message=wire.ExtendedTextMessage(text=said.body)).SerializeToString()
        payload = _seal(Use.COMMENT, said.to, plaintext, secret, author, writer, nonce)
        comment = wire.EncCommentMessage(target_message_key=key, enc_payload=payload, enc_iv=nonce)
        return Message(enc_comment_message=comment).SerializeToString()
    emoji = wire.ReactionMessage(text=said.emoji, sender_timestamp_ms=int(at.timestamp() * 1000))
    payload = _seal(Use.REACTION, said.to, emoji.SerializeToString(), secret, author, writer, nonce)
    reaction = wire.EncReactionMessage(target_message_key=key, enc_payload=payload, enc_iv=nonce)
    return Message(enc_reaction_message=reaction).SerializeToString()


def option_hash(option: str) -> bytes:
    """What a vote names an option by."""
    return hashlib.sha256(option.encode()).digest()


def _added(addition: Addition, plaintext: bytes, options: tuple[str, ...]) -> Content:
    target = addition.target
    match addition.use:
        case Use.VOTE:
            names = {option_hash(option): option for option in options}
            chosen = wire.PollVoteMessage.FromString(plaintext).selected_options
            # An option that was added to the poll since is known by its hash alone.
            listed = tuple(names.get(hash) or hash.hex() for hash in chosen)
            return PollVote(target.id, listed, target.from_me, target.author)
        case Use.ANSWER:
            said = wire.EventResponseMessage.FromString(plaintext)
            answer = _ANSWERS.get(said.response)
            if answer is None:
                raise DecodeError("an answer says nothing")
            return EventAnswer(target.id, answer, max(0, said.extra_guest_count), target.from_me, target.author)
        case Use.REACTION:
            reaction = wire.ReactionMessage.FromString(plaintext)
            return Reaction(target.id, reaction.text, target.from_me, target.author, is_encrypted=True)
        case Use.COMMENT:
            comment = unwrap(parse_message(plaintext))
            body = comment.extended_text_message.text or comment.conversation
            if not body:
                raise DecodeError("a comment without words")
            return Comment(target.id, body, target.from_me, target.author)
        case _:
            message = unwrap(parse_message(plaintext))
            if message.HasField("protocol_message"):
                message = message.protocol_message.edited_message
            edit = edited(target.id, message, from_me=target.from_me, author=target.author)
            if edit is None:
                raise DecodeError("an edit says nothing known")
            return replace(edit, is_encrypted=True)


def _seal(use: Use, id: str, plaintext: bytes, secret: bytes, author: JID, writer: JID, nonce: bytes) -> bytes:
    key = secret_key(secret, use, id=id, author=author, writer=writer)
    return gcm_seal(key, nonce, plaintext, _bound(use, id, writer))


def _bound(use: Use, id: str, writer: JID) -> bytes:
    return f"{id}\0{writer.bare}".encode() if use in _AUTHENTICATED else b""
