"""
What must be true after a run, whatever died in it. Each text carries a token nobody else says; what is found of it in
the database, in the stream and on the phones is counted.
"""

from __future__ import annotations

from .ledger import Subject
from .records import Outgoing, Stored, Told

TAKEN = ("server_ack", "delivered", "read", "played")


async def complaints(subject: Subject) -> list[str]:
    """Everything that is not as it must be, as sentences; nothing, when all is well."""
    ledger = subject.ledger
    ids = [*ledger.came, *ledger.queued]
    texts = [*ledger.came.values(), *ledger.queued.values()]
    messages = await subject.records.messages(ids, texts)
    events = await subject.records.events(ids, texts)
    outbox = await subject.records.outbox(texts)
    return [
        *_of_what_came(subject, messages, events),
        *_of_what_was_queued(subject, messages, events, outbox),
        *_of_the_order(subject, events),
        *(f"{id} was sealed with a key used before" for id in subject.wiretap.reused(str(subject.device))),
    ]


def _of_what_came(subject: Subject, messages: list[Stored], events: list[Told]) -> list[str]:
    """Every message the emulator released is stored once, told once, and nothing was taken for unreadable."""
    ledger, found = subject.ledger, []
    released = set(subject.released()) | ledger.history
    for id, token in ledger.came.items():
        rows = [row for row in messages if id == row.id or token == row.text]
        told = [event for event in events if event.kind == "message.received" and token == event.text]
        unreadable = [event for event in events if event.kind == "envelope.unreadable" and event.id == id]
        if id not in released:
            found.append(f"{id} was never released")
        if len(rows) != 1 or (rows[0].id, rows[0].text, rows[0].is_placeholder) != (id, token, False):
            found.append(f"{id} came and is stored as {rows}")
        if len(told) != 1 or told[0].id != id:
            found.append(f"{id} came and is told of as {told}")
        if len(unreadable) > (id in ledger.spoiled):
            found.append(f"{id} was taken for unreadable {len(unreadable)} times")
    return found


def _of_what_was_queued(
    subject: Subject, messages: list[Stored], events: list[Told], outbox: list[Outgoing]
) -> list[str]:
    """
    Every queued message is shown once on both phones, under the id it was queued with, and is settled; that it was
    sent is told once.
    """
    found = []
    for id, token in subject.ledger.queued.items():
        queued = [row for row in outbox if row.text == token]
        rows = [row for row in messages if id == row.id or token == row.text]
        told = [(event.kind, event.id) for event in events if token == event.text or id == event.id]
        if [(row.id, row.is_settled, row.state) for row in queued] != [(id, True, "server_ack")]:
            found.append(f"{id} is in the outbox as {queued}")
        if [(row.id, row.text) for row in rows] != [(id, token)] or rows[0].status not in TAKEN:
            found.append(f"{id} was sent and is stored as {rows}")
        if told != [("message.sent", id)]:
            found.append(f"{id} was sent and is told of as {told}")
        for phone in (subject.ledger.to[id], subject.owner):
            shown = [each.id for each in phone.messages if each.text == token]
            if shown != [id]:
                found.append(f"{id} is shown as {shown} by {phone.name}")
    return found


def _of_the_order(subject: Subject, events: list[Told]) -> list[str]:
    """What one person said is told in that order, and what was queued for one person is shown in that order."""
    ledger, found = subject.ledger, []
    told = [event.id for event in events if event.kind == "message.received"]
    exempt = ledger.spoiled | ledger.history | _released_in_another_order(subject)
    for name in set(ledger.by.values()):
        said = [id for id in ledger.came if ledger.by[id] == name and id not in exempt]
        if [id for id in told if id in said] != said:
            found.append(f"what {name} said is told in another order")
    for phone in set(ledger.to.values()):
        queued = [id for id in ledger.queued if ledger.to[id] is phone and id not in ledger.spoiled]
        if [shown.id for shown in phone.messages if shown.id in queued] != queued:
            found.append(f"what was queued for {phone.name} is shown in another order")
    return found


def _released_in_another_order(subject: Subject) -> set[str]:
    """What the server itself gave in another order than it was said (it holds a stanza back when told to)."""
    first, found = subject.released(), set[str]()
    given = [id for id in subject.ledger.came if id in first]
    last = ""
    for id in given:
        if last and first[id] < first[last]:
            found |= {last, id}
        else:
            last = id
    return found
