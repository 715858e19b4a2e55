"""Messages not being saved: is the spine alive, was there content, do placeholders wait, is it the right mentorado?"""

from __future__ import annotations

from datetime import timedelta

from recado.gateway.operations.finding import Case, Check, Finding, Severity

_LATE = timedelta(minutes=10)


def spine(case: Case) -> list[Finding]:
    """Does anybody receive at all?"""
    name = "spine"
    is_run = case.holder is not None and case.holder.is_live
    if case.is_wanted and not is_run and case.live_workers == 0:
        words = "The connection should be up, and no worker runs it: nothing is received."
        return [Finding(name, Severity.PROBLEM, words, "Start recado serve; what waits at WhatsApp is fetched then.")]
    if case.state == "connected":
        return [Finding(name, Severity.OK, "A worker receives for this account.")]
    if case.is_wanted:
        words = "Not connected: messages wait at WhatsApp and come when it is back."
        return [Finding(name, Severity.WARNING, words, "See the findings about the connection.")]
    return []


def saved(case: Case) -> list[Finding]:
    """Is everything that was recorded among the messages?"""
    name = "saved"
    if case.traffic.without_row:
        words = f"{case.traffic.without_row} recorded message(s) of the last day have no row among the messages."
        return [Finding(name, Severity.PROBLEM, words, "Report it: the event log still has them.")]
    return [Finding(name, Severity.OK, "Every recorded message of the last day is among the messages.")]


def placeholders(case: Case) -> list[Finding]:
    """Do messages that could not be opened still wait for their resend?"""
    name = "placeholders"
    traffic = case.traffic
    if traffic.placeholders and traffic.oldest_placeholder is not None:
        told = ", ".join(traffic.unreadable_reasons) or "unknown"
        words = (
            f"{traffic.placeholders} message(s) could not be opened and are to come again from their authors ({told})."
        )
        if case.now - traffic.oldest_placeholder > _LATE:
            advice = "Their phones must be online. When it stays so, run recado recover: a damaged session may be why."
            return [Finding(name, Severity.PROBLEM, words, advice)]
        return [Finding(name, Severity.WARNING, words, "Wait: they were asked again.")]
    if traffic.unreadable:
        words = f"{traffic.unreadable} message(s) of the last day came again after they could not be opened."
        return [Finding(name, Severity.OK, words)]
    return [Finding(name, Severity.OK, "No message waits to be sent again.")]


def content(case: Case) -> list[Finding]:
    """Was there anything to save?"""
    name = "content"
    found = []
    if case.traffic.without_text:
        words = f"{case.traffic.without_text} message(s) of the last day have no text: pictures, or kinds without one."
        found.append(Finding(name, Severity.OK, words, "They are saved with their kind; look at content_type."))
    if case.traffic.unknown:
        words = f"{case.traffic.unknown} stanza(s) of the last day were of a kind this version does not read."
        found.append(Finding(name, Severity.WARNING, words, "They are kept raw in the event log; update recado."))
    return found


MESSAGES: tuple[Check, ...] = (spine, saved, placeholders, content)
