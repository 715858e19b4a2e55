"""
One step of one mentorado's move, in the unit it is given: it begins and ends in the mentorado's row, so who dies in it
did nothing, and whoever comes next does the same step.

    waiting ─ pin the old road, connect the new ─▶ connecting ─ connected, same number: send the test ─▶ testing
    testing ─ the test arrived: the pin and what is queued go to the new road, together ─▶ settling ─▶ done
    anything wrong before that ─ pin and connection as they were ─▶ failed, and nobody after them begins
    done, settling ─ asked for: the old one back, then the pin and the queue ─▶ rolling_back ─▶ restoring ─▶ rolled_back
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from recado.content import Content, Template, Text
from recado.gateway.audit.repository import add_entry
from recado.gateway.connections import choosing, service
from recado.gateway.connections.repository import CONNECTED, Connection
from recado.gateway.conversations.service import cancel_message, queue_message
from recado.gateway.db.unit import Unit
from recado.gateway.moving import repository
from recado.gateway.moving.carrying import carry_over
from recado.gateway.moving.ending import let_go
from recado.gateway.moving.report import look, own_number
from recado.gateway.moving.repository import Person
from recado.gateway.pacing.verdict import Origin
from recado.gateway.providers.roads import META, ROADS
from recado.gateway.refusals import NotConnectable, NotFound, Refusal, WindowClosed

CONNECTING_LASTS = timedelta(minutes=10)
TESTING_LASTS = timedelta(minutes=5)
SETTLING_LASTS = timedelta(minutes=30)
_NEVER = ("failed", "restricted", "logged_out", "replaced")
_ARRIVED = ("delivered", "read", "played")


async def advance(unit: Unit, person: Person, *, now: datetime) -> None:
    """Do what is due of this row, which the unit holds. Raises StoreError, and then nothing is done."""
    step = _STEPS.get(person.state)
    if step is not None:
        await step(unit, person, now)


async def _begin(unit: Unit, person: Person, now: datetime) -> None:
    stand = await look(unit, person.to_provider)
    if stand.fingerprint != person.fingerprint:
        await _end(unit, person, "failed", "changed_since_the_dry_run", now)
        return
    wanted = stand.new.desired if stand.new is not None else None
    await repository.save_before(unit, person.move_id, pin=stand.pin, wanted=wanted)
    try:
        await service.request_connect(unit, person.to_provider)
    except Refusal as refusal:
        await _end(unit, person, "failed", refusal.kind, now)
        return
    if person.from_provider is not None:
        await choosing.pin(unit, person.from_provider)
    await repository.save_state(unit, person.move_id, "connecting", now=now, lasts=CONNECTING_LASTS)
    await _note(unit, person, "began")


async def _see_connected(unit: Unit, person: Person, now: datetime) -> None:
    new, old = await _find(unit, person.to_provider), await _find(unit, person.from_provider)
    if new is None or new.desired != CONNECTED:
        await undo(unit, person, "failed", "disconnected_meanwhile", now=now)
    elif new.state == CONNECTED:
        is_another = bool(old and old.account_phone and new.account_phone and old.account_phone != new.account_phone)
        if is_another and not person.options.get("another_number"):
            await undo(unit, person, "failed", "another_number", now=now)
        else:
            await _send_test(unit, person, old, new, now)
    elif new.state in _NEVER:
        await undo(unit, person, "failed", f"connection_{new.state}", now=now)
    elif _is_over(person, now):
        await undo(unit, person, "failed", "not_connected_in_time", now=now)


async def _send_test(unit: Unit, person: Person, old: Connection | None, new: Connection, now: datetime) -> None:
    """A message from the new connection to the mentorado's own number, as a person sends one."""
    target = person.test_to or own_number(old, new)
    words = Text(f"recado: the new connection works ({str(person.move_id)[:8]}).")
    try:
        message_id = await _queue(unit, person, target, words, now)
    except WindowClosed as closed:
        plain = next(((name, language) for name, language, places in closed.templates if places == 0), None)
        if plain is None:
            await undo(unit, person, "failed", "nothing_may_be_sent_as_a_test", now=now)
            return
        message_id = await _queue(unit, person, target, Template(*plain), now)
    except Refusal as refusal:
        await undo(unit, person, "failed", f"test_{refusal.kind}", now=now)
        return
    await repository.save_test(unit, person.move_id, message_id)
    await repository.save_state(unit, person.move_id, "testing", now=now, lasts=TESTING_LASTS)
    await _note(unit, person, "connected", test_message=message_id)


async def _queue(unit: Unit, person: Person, to: str | None, content: Content, now: datetime) -> str:
    accepted = await queue_message(
        unit, now=now, content=content, to=to, origin=Origin.PERSON, provider=person.to_provider
    )
    return accepted.queued.message_id


async def _see_test(unit: Unit, person: Person, now: datetime) -> None:
    """
    Over an HTTP road it has to be delivered: that is told by a webhook, and so proves the way back. WhatsApp Web's
    socket proves it by the server's answer.
    """
    status = await repository.find_status(unit, person.test_message or "")
    new = await _find(unit, person.to_provider)
    has_arrived = status in _ARRIVED or (status == "server_ack" and not ROADS[person.to_provider].has_credentials)
    if has_arrived and new is not None and new.state == CONNECTED:
        await _switch(unit, person, now)
    elif status == "failed" or status is None:
        await undo(unit, person, "failed", "test_failed", now=now)
    elif new is None or new.desired != CONNECTED or new.state in _NEVER:
        await undo(unit, person, "failed", "connection_lost_in_the_test", now=now)
    elif _is_over(person, now):
        await undo(unit, person, "failed", "test_did_not_arrive", now=now)


async def _switch(unit: Unit, person: Person, now: datetime) -> None:
    """The priority moves, and with it what is queued: both or neither."""
    weighed = await choosing.weigh(unit)
    unpinned = choosing.decide(weighed.candidates, None).chosen
    pin = None if unpinned == person.to_provider and person.pin_before is None else person.to_provider
    if person.from_provider is not None and weighed.pin != person.from_provider:
        await undo(unit, person, "failed", "pinned_by_somebody_else", now=now)
        return
    await choosing.pin(unit, pin)
    carried = 0
    if person.from_provider is not None:
        carried = await carry_over(unit, person.from_provider, person.to_provider, now=now)
    await repository.save_switch(unit, person.move_id, pin=pin, carried=carried)
    stays = person.from_provider is None
    lasts = None if stays else SETTLING_LASTS
    await repository.save_state(unit, person.move_id, "done" if stays else "settling", now=now, lasts=lasts)
    await _note(unit, person, "moved", pin=pin, carried=carried)


async def _settle(unit: Unit, person: Person, now: datetime) -> None:
    """What was queued in that very moment follows; the old connection goes when it has nothing left, if it is to."""
    assert person.from_provider is not None
    outcome = await let_go(
        unit,
        person,
        person.from_provider,
        person.to_provider,
        retire=bool(person.options.get("retire_old")),
        coexistence=bool(person.options.get("coexistence")) and person.to_provider == META,
        is_over=_is_over(person, now),
        now=now,
    )
    if outcome is not None:
        await _end(unit, person, "done", outcome or None, now)


async def undo(unit: Unit, person: Person, state: str, reason: str, *, now: datetime) -> None:
    """Before the switch: pin and connection as they were, the test called back. The old road never stopped."""
    if person.state == "waiting":  # nothing was done: what is pinned and connected is their own
        await _end(unit, person, state, reason, now)
        return
    if person.from_provider is not None and (await choosing.weigh(unit)).pin == person.from_provider:
        await choosing.pin(unit, person.pin_before)
    if person.test_message is not None:
        try:
            await cancel_message(unit, person.test_message, now=now)
        except (NotConnectable, NotFound):
            pass  # it went, or will not
    if person.wanted_before != CONNECTED and await _find(unit, person.to_provider) is not None:
        await service.request_disconnect(unit, person.to_provider)
    await _end(unit, person, state, reason, now)


async def start_back(unit: Unit, person: Person, *, now: datetime) -> None:
    """After the switch: have the old connection up again first."""
    if person.from_provider is not None:
        old = await _find(unit, person.from_provider)
        if old is None or old.desired != CONNECTED:
            await service.request_connect(unit, person.from_provider)
    await repository.save_state(unit, person.move_id, "rolling_back", now=now, lasts=SETTLING_LASTS)
    await _note(unit, person, "rolling_back")


async def _see_old(unit: Unit, person: Person, now: datetime) -> None:
    """Once the old one is connected, the pin and the queue go back, together."""
    old = await _find(unit, person.from_provider)
    if person.from_provider is not None and (old is None or old.state != CONNECTED):
        if _is_over(person, now) or (old is not None and old.state in _NEVER):
            await _end(unit, person, "done", "the_old_one_does_not_connect", now)
        return
    weighed, carried = await choosing.weigh(unit), 0
    if weighed.pin == person.pin_after:
        back = choosing.decide(weighed.candidates, person.pin_before).chosen
        await choosing.pin(unit, person.pin_before if back == person.from_provider else person.from_provider)
    if person.from_provider is not None:
        carried = await carry_over(unit, person.to_provider, person.from_provider, now=now)
    await repository.save_carried(unit, person.move_id, carried)
    await repository.save_state(unit, person.move_id, "restoring", now=now, lasts=SETTLING_LASTS)
    await _note(unit, person, "moved_back", carried=carried)


async def _restore(unit: Unit, person: Person, now: datetime) -> None:
    """The new connection is as it was before, once it has nothing left."""
    outcome = await let_go(
        unit,
        person,
        person.to_provider,
        person.from_provider,
        retire=person.wanted_before != CONNECTED,
        coexistence=False,
        is_over=_is_over(person, now),
        now=now,
    )
    if outcome is not None:
        await _end(unit, person, "rolled_back", outcome or None, now)


async def _end(unit: Unit, person: Person, state: str, reason: str | None, now: datetime) -> None:
    await repository.save_state(unit, person.move_id, state, now=now, reason=reason)
    await _note(unit, person, state, reason=reason)


async def _note(unit: Unit, person: Person, what: str, **detail: object) -> None:
    """In the audit, with the plan and both roads."""
    roads = {"from": person.from_provider, "to": person.to_provider}
    await add_entry(unit, f"move.{what}", mentorado_id=None, move=str(person.move_id), roads=roads, **detail)


async def _find(unit: Unit, provider: str | None) -> Connection | None:
    if provider is None:
        return None
    try:
        return await service.get_connection(unit, provider)
    except NotFound:
        return None


def _is_over(person: Person, now: datetime) -> bool:
    return person.deadline is not None and person.deadline <= now


_STEPS: dict[str, Callable[[Unit, Person, datetime], Awaitable[None]]] = {
    "waiting": _begin,
    "connecting": _see_connected,
    "testing": _see_test,
    "settling": _settle,
    "rolling_back": _see_old,
    "restoring": _restore,
}
