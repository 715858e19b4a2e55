"""QR not appearing: was connecting asked for, does anybody run it, did the codes run out, is there a free place?"""

from __future__ import annotations

from datetime import timedelta

from recado.gateway.operations.finding import Case, Check, Finding, Severity

MOST_LINKED_DEVICES = 4
_SLOW = timedelta(minutes=2)
_STEPS = ("qr", "code", "passkey")


def connect_accepted(case: Case) -> list[Finding]:
    """Did anybody ask for a connection?"""
    name = "connect_accepted"
    if case.connection is None:
        return [Finding(name, Severity.WARNING, "Nobody has asked for a connection yet.", "Press Connect.")]
    if not case.is_wanted:
        return [Finding(name, Severity.WARNING, "The connection is switched off.", "Press Connect to have it back.")]
    return [Finding(name, Severity.OK, "A connection is asked for.")]


def workers_alive(case: Case) -> list[Finding]:
    """Is there a process that could run it?"""
    name = "workers"
    if case.live_workers == 0:
        words = "No worker is running, so nobody can connect or show a code."
        return [Finding(name, Severity.PROBLEM, words, "Start recado serve against this database.")]
    return [Finding(name, Severity.OK, f"{case.live_workers} worker(s) run accounts.")]


def stale_lease(case: Case) -> list[Finding]:
    """Does somebody who is gone, or does nothing, hold the account?"""
    name = "lease"
    holder = case.holder
    if holder is not None and not holder.is_live:
        words = "The account is held by a worker that is gone."
        if case.live_workers and not case.stands_for(_SLOW):
            return [Finding(name, Severity.WARNING, words, "Wait: another worker takes it over by itself.")]
        advice = "Start recado serve; when one is running already, look at its log: it should have taken it over."
        return [Finding(name, Severity.PROBLEM, words, advice)]
    if holder is None and case.is_wanted and case.live_workers and case.stands_for(_SLOW) and not _is_ended(case):
        words = "The connection is asked for, and no worker has taken it for minutes."
        return [Finding(name, Severity.PROBLEM, words, "Look at the workers' logs, then run recado recover.")]
    if case.state == "connecting" and case.stands_for(_SLOW) and case.reason is None:
        words = "A worker has been connecting for minutes and got nowhere."
        return [Finding(name, Severity.PROBLEM, words, "Run recado recover; look at the network of the worker.")]
    return [Finding(name, Severity.OK, "No stale lease.")]


def interrupted(case: Case) -> list[Finding]:
    """Was a recovery step cut off while it had the account?"""
    name = "interrupted"
    if case.under_way is None:
        return []
    if case.holder is not None and case.holder.is_live:
        words = f"The step {case.under_way.kind} is at work on this account."
        return [Finding(name, Severity.WARNING, words, "Wait until it is done.")]
    words = f"The step {case.under_way.kind} was interrupted, and left the connection switched off."
    return [Finding(name, Severity.PROBLEM, words, "Run recado recover: it goes on from here.")]


def event_stream(case: Case) -> list[Finding]:
    """Could a card hear of a code at all?"""
    name = "event_stream"
    if not case.traffic.has_stream:
        words = "This mentorado has no event stream: nothing can be recorded or shown for it."
        return [Finding(name, Severity.PROBLEM, words, "Restore the row of stream_heads from a dump of the database.")]
    return [Finding(name, Severity.OK, "The event stream is there.")]


def codes(case: Case) -> list[Finding]:
    """Did the codes run out, does it wait for its turn, is the code on show an old one?"""
    name = "codes"
    if case.reason == "codes_ran_out":
        advice = "Press Connect when the phone is at hand: a code is good for a minute, then for 20 seconds."
        return [Finding(name, Severity.WARNING, "Nobody scanned a code in time, and the codes ran out.", advice)]
    if case.reason == "another_mentorado_is_being_linked":
        words = "Another mentorado is being linked right now; this one is next."
        return [Finding(name, Severity.WARNING, words, "Finish the other link, or allow several at a time.")]
    connection = case.connection
    if connection is not None and case.state in _STEPS:
        expires = connection.step_expires_at
        if expires is not None and case.now - expires > timedelta(minutes=1):
            words = "The code on show is an old one, and no new one came."
            return [Finding(name, Severity.PROBLEM, words, "Press Connect again, or run recado recover.")]
        return [Finding(name, Severity.OK, "A code is shown; scan it with the phone.")]
    return []


def linked_devices(case: Case) -> list[Finding]:
    """Is there a place left on the phone?"""
    name = "linked_devices"
    if case.linked_devices is None:
        return []
    words = f"The account has {case.linked_devices} linked device(s), this one among them."
    if case.linked_devices >= MOST_LINKED_DEVICES:
        advice = "WhatsApp allows about four: take one off on the phone before you link again."
        return [Finding(name, Severity.WARNING, words, advice)]
    return [Finding(name, Severity.OK, words)]


def link_refused(case: Case) -> list[Finding]:
    """Did the phone, or the number, not fit?"""
    name = "link"
    if case.reason == "another_number":
        words = "Another number was scanned than the one this history belongs to; nothing of it was kept."
        advice = "Scan with the right phone; or make a mentorado for the other number; or say that the number changed."
        return [Finding(name, Severity.PROBLEM, words, advice)]
    if case.state == "held":
        words = "Another number was scanned than the one this history belongs to, and waits for an answer."
        advice = "Say on the card whether the number changed; without an answer nothing of it is kept."
        return [Finding(name, Severity.WARNING, words, advice)]
    if case.reason == "PairingRefused":
        words = "The phone and recado did not agree while linking."
        return [Finding(name, Severity.PROBLEM, words, "Take an old device off the phone, then press Connect again.")]
    return []


def _is_ended(case: Case) -> bool:
    return case.state in ("logged_out", "replaced", "restricted", "failed")


LINKING: tuple[Check, ...] = (
    connect_accepted,
    workers_alive,
    stale_lease,
    interrupted,
    event_stream,
    codes,
    linked_devices,
    link_refused,
)
