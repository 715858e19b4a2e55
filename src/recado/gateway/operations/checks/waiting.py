"""The roads out: is the outbox stuck, do webhooks fail, did any die?"""

from __future__ import annotations

from recado.gateway.operations.finding import Case, Check, Finding, Severity


def outbox(case: Case) -> list[Finding]:
    """Does anything wait to be sent for longer than it should?"""
    name = "outbox"
    waiting = case.waiting
    found = []
    if waiting.outbox_overdue and case.state == "connected":
        words = f"{waiting.outbox_overdue} message(s) should have left minutes ago, and the connection is up."
        found.append(Finding(name, Severity.PROBLEM, words, "Run recado recover; a message's passport says more."))
    elif waiting.outbox_overdue:
        words = f"{waiting.outbox_overdue} message(s) wait for the connection to come back."
        found.append(Finding(name, Severity.WARNING, words, "They leave by themselves once it is connected."))
    if waiting.outbox_unknown:
        words = f"Of {waiting.outbox_unknown} message(s) of the last day nobody knows whether they arrived."
        found.append(Finding(name, Severity.WARNING, words, "Look at them on the phone before you send them again."))
    return found or [Finding(name, Severity.OK, "Nothing is stuck on its way out.")]


def webhooks(case: Case) -> list[Finding]:
    """Are events told to whoever asked for them?"""
    name = "webhooks"
    waiting = case.waiting
    found = []
    if waiting.webhooks_disabled:
        words = f"{waiting.webhooks_disabled} webhook(s) are switched off because they kept failing."
        found.append(Finding(name, Severity.PROBLEM, words, "Mend the receiver, switch it on and redrive it."))
    if waiting.webhooks_failing:
        words = f"{waiting.webhooks_failing} webhook(s) are failing right now."
        found.append(Finding(name, Severity.WARNING, words, "Look at its attempts; nothing is lost meanwhile."))
    if waiting.dead_letters:
        words = f"{waiting.dead_letters} event(s) were never taken by a webhook."
        found.append(Finding(name, Severity.PROBLEM, words, "Mend the receiver and redrive them."))
    return found or [Finding(name, Severity.OK, "No webhook is failing.")]


WAITING: tuple[Check, ...] = (outbox, webhooks)
