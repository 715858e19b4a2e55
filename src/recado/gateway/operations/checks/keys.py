"""Session corruption: keys that are missing, do not open or are of another kind; a login that is refused for good."""

from __future__ import annotations

from recado.gateway.operations.finding import Case, Check, Finding, Severity
from recado.gateway.operations.inspection import DOES_NOT_OPEN, MISSING, UNREADABLE, Damage
from recado.gateway.providers.baileys import session_rows as rows

_HEAL = "Run recado recover: it backs the session up and drops only what cannot be read; no new code is needed."
_RELINK = (
    "Run recado recover: it backs the session up, clears it and asks for a new code. "
    "Or put a backup back with recado restore, which needs none. Messages stay either way."
)
_WORDS = {
    MISSING: "{kind}: missing",
    DOES_NOT_OPEN: "{kind}: {count} value(s) do not open: damaged, or sealed for another row or with another key",
    UNREADABLE: "{kind}: {count} value(s) cannot be read: cut short, or not of this kind",
}


def master_key(case: Case) -> list[Finding]:
    """Is this the master key the session was sealed with?"""
    if case.session.is_sealed_by_another:
        words = "The whole session is sealed with another master key. Nothing in it is damaged."
        advice = "Put the right master key back (RECADO_MASTER_KEY or the key file). Do not clear anything."
        return [Finding("master_key", Severity.PROBLEM, words, advice)]
    return [Finding("master_key", Severity.OK, "The master key is the one the session was sealed with.")]


def damaged_keys(case: Case) -> list[Finding]:
    """Which kinds of keys are damaged?"""
    found = [_told(damage) for damage in case.session.damages]
    if not found and not case.session.is_sealed_by_another:
        counts = sum(case.session.counts.values())
        words = f"All {counts} keys open and can be read." if counts else "There is no session yet."
        return [Finding("keys", Severity.OK, words)]
    return found


def permanent_refusal(case: Case) -> list[Finding]:
    """Is the login refused for good?"""
    name = "login"
    if case.state == "logged_out":
        words = "The phone, or WhatsApp, took this device off the account; the session was backed up and cleared."
        return [Finding(name, Severity.PROBLEM, words, "Press Connect and scan a new code. Messages are kept.")]
    refused = sum(1 for change in case.changes if change.reason == "logged_out")
    if refused >= 2:
        words = f"The login was refused {refused} times within the last hour."
        return [Finding(name, Severity.PROBLEM, words, "On the phone: look under Linked devices, then link once.")]
    if case.reason == "unreadable_store" and not case.session.damages:
        words = "The account stopped because a stored record could not be read; all keys can be read now."
        return [Finding(name, Severity.WARNING, words, "Press Connect.")]
    return []


def own_number(case: Case) -> list[Finding]:
    """Is the device linked to the number this history belongs to?"""
    name = "own_number"
    credentials, connection = case.session.credentials, case.connection
    if credentials is None or credentials.account is None or connection is None or connection.account_phone is None:
        return []
    if credentials.account.user != connection.account_phone:
        words = "The linked device is another number's than the one this history belongs to."
        return [Finding(name, Severity.PROBLEM, words, "Unlink, and link the right phone; or say the number changed.")]
    return [Finding(name, Severity.OK, "The linked number is the one this history belongs to.")]


def _told(damage: Damage) -> Finding:
    words = _WORDS[damage.problem].format(kind=damage.kind, count=damage.count) + "."
    if damage.kind == rows.CREDENTIALS:
        return Finding("keys", Severity.PROBLEM, words, _RELINK)
    if damage.kind == rows.PREKEY and damage.problem == MISSING:
        return Finding("keys", Severity.PROBLEM, words, "Run recado recover: fresh one-time keys are uploaded.")
    return Finding("keys", Severity.PROBLEM, words, _HEAL)


KEYS: tuple[Check, ...] = (master_key, damaged_keys, permanent_refusal, own_number)
