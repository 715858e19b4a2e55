"""
A number sends: what `POST /{number}/messages` does once the body is well-formed. Meta accepts what it can, answers
with an id, and tells by webhook what became of it; so does this. A closed 24-hour window is such a case: the message
is accepted and fails with 131047, or with `rules.closed_window = "answer"` (or a planned refusal) is refused at once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from recado.emulator.meta.errors import GraphError, invalid
from recado.emulator.meta.faults import Fault
from recado.emulator.meta.messages import MEDIA_KINDS, Asked, check_product, parse
from recado.emulator.meta.world import Number, Sent

if TYPE_CHECKING:
    from recado.emulator.meta.cloud import MetaCloud
    from recado.emulator.meta.people import Person

PAIR_PAUSE = timedelta(seconds=6)
TYPING = timedelta(seconds=25)


def send(cloud: MetaCloud, number: Number, body: dict[str, Any]) -> dict[str, Any]:
    """The answer to a send, a read mark or a typing mark. Raises GraphError."""
    if "status" in body:
        return mark_read(cloud, number, body)
    asked = parse(body)
    refuse_number(number)
    person = cloud.person_at(asked.to)
    if asked.to == number.digits:
        raise GraphError(131021)
    category, content, text = _content(cloud, number, asked)
    needs_window = asked.kind != "template" and cloud.rules.closed_window == "answer"
    if needs_window and person is not None and not person.has_open_window(number):
        raise GraphError(131047)
    _keep_to_rates(cloud, number, person)
    sent = _accept(cloud, number, person, asked, content, text, category)
    _carry_out(cloud, sent)
    answer = _answer(sent, asked, person)
    cloud.changed()
    return answer


def refuse_number(number: Number) -> None:
    """Raises GraphError when the number, or its account, cannot send at all."""
    if not number.is_registered:
        raise GraphError(133010)
    if number.waba.locked is not None:
        raise GraphError(number.waba.locked)


def mark_read(cloud: MetaCloud, number: Number, body: dict[str, Any]) -> dict[str, Any]:
    """The number read a message, and perhaps types. Raises GraphError."""
    check_product(body)
    if body.get("status") != "read":
        raise invalid("status", "must be read")
    id = body.get("message_id")
    if not isinstance(id, str):
        raise GraphError(100, "The parameter message_id is required.")
    person, shown = cloud.find_shown(id)
    if person is None or shown is None or shown.number is not number or not shown.from_me:
        raise invalid("message_id", "is not a message that was received")
    for each in person.chat(number):
        if each.from_me:
            each.is_read = True
        if each is shown:
            break
    if "typing_indicator" in body:
        number.typing_until[person.user_id] = cloud.clock.now() + TYPING
    cloud.changed()
    return {"success": True}


def _content(cloud: MetaCloud, number: Number, asked: Asked) -> tuple[str, dict[str, Any], str]:
    """The price's category, what the phone is given, and what it shows. Raises GraphError."""
    content, text, category = asked.content, asked.text, "service"
    if asked.kind == "template":
        template, text, buttons = cloud.templates.fill(number.waba, content)
        content, category = {**content, "shown_buttons": buttons}, template.category.lower()
    elif asked.kind in MEDIA_KINDS and "id" in content:
        cloud.media.usable(content["id"], number, asked.kind)
    elif asked.kind == "reaction":
        person, _ = cloud.find_shown(content["message_id"])
        if person is None:
            raise invalid("reaction['message_id']", "is not a message of this chat")
    return category, content, text


def _keep_to_rates(cloud: MetaCloud, number: Number, person: Person | None) -> None:
    """Raises GraphError when it goes too fast."""
    now = cloud.clock.now()
    while number.recent and now - number.recent[0] >= timedelta(seconds=1):
        number.recent.popleft()
    if cloud.rules.throughput and len(number.recent) >= number.rate:
        raise GraphError(130429)
    if cloud.rules.pair_rate and person is not None:
        last = person.last_sent_to.get(number.id)
        if last is not None and now - last < PAIR_PAUSE:
            raise GraphError(131056)
    number.recent.append(now)
    if person is not None:
        person.last_sent_to[number.id] = now


def _accept(
    cloud: MetaCloud,
    number: Number,
    person: Person | None,
    asked: Asked,
    content: dict[str, Any],
    text: str,
    category: str,
) -> Sent:
    party = person.phone if person else asked.to
    sent = Sent(
        id=cloud.ids.message(party),
        number=number,
        person=person,
        input=asked.to,
        kind=asked.kind,
        content=content,
        text=text,
        category=category,
        opaque=asked.opaque,
        reply_to=asked.reply_to,
        at=cloud.clock.now(),
        by_user_id=asked.by_user_id,
    )
    number.sent[sent.id] = sent
    return sent


def _carry_out(cloud: MetaCloud, sent: Sent) -> None:
    """Deliver it, or tell why not."""
    code = _obstacle(cloud, sent)
    if code is not None:
        cloud.statuses.fail(sent, code)
        return
    cloud.statuses.advance(sent, "sent")
    if sent.person is not None and sent.number.id not in sent.person.blocks:
        sent.person.take(sent)


def _obstacle(cloud: MetaCloud, sent: Sent) -> int | None:
    """The code it fails with, if it does."""
    person, number = sent.person, sent.number
    parties = person.addresses if person else {sent.input}
    planned = cloud.faults.take(Fault.FAIL_LATER, number.id, *parties, about="messages")
    if planned is not None:
        return planned.code
    if person is None or not person.has_whatsapp or number.id in person.blocks:
        return 131026
    if sent.kind != "template" and not person.has_open_window(number):
        return 131047
    if sent.category == "marketing" and number.id in person.no_marketing:
        return 131050
    return None


def _answer(sent: Sent, asked: Asked, person: Person | None) -> dict[str, Any]:
    contact: dict[str, Any] = {"input": asked.to}
    if asked.by_user_id:
        contact["user_id"] = asked.to
    else:
        contact["wa_id"] = person.wa_id if person else asked.to
    message: dict[str, Any] = {"id": sent.id}
    if sent.kind == "template":
        message["message_status"] = "accepted"
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]}
