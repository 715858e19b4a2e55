"""Frequent disconnects: whose clock is off, what the close reasons were, is the back-off respected, who competes?"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from recado.gateway.operations.finding import Case, Check, Finding, Severity

OFTEN = 5
"""Losses an hour that nobody takes for chance."""
MOST_REQUESTS = 5
_EARLY = timedelta(seconds=1)
_SKEW = 60
_WAITING = ("reconnecting", "connecting")
_RESTART = "restart_required"  # normal after linking

_ENDED: dict[str, tuple[str, str]] = {
    "restricted": (
        "WhatsApp has restricted this account for a while.",
        "Wait until the time shown, and write only to people who expect it; trying sooner makes it worse.",
    ),
    "forbidden": (
        "WhatsApp refuses this account; it may be banned.",
        "Open WhatsApp on the phone: it says more, and how to appeal. A new code does not help.",
    ),
    "outdated": ("WhatsApp no longer takes this version of the web client.", "Update recado."),
    "bad_user_agent": ("WhatsApp does not take the browser we say we are.", "Update recado."),
    "not_multi_device": ("This account cannot have linked devices.", "Update WhatsApp on the phone."),
    "untrusted": (
        "The server's certificate does not check out: something sits between this machine and WhatsApp.",
        "Do not go on before you know what it is.",
    ),
    "unreachable": (
        "WhatsApp's server cannot be reached from the worker's machine.",
        "Check the network, the firewall and the proxy.",
    ),
}


def close_reasons(case: Case) -> list[Finding]:
    """How often was it lost within the hour, and why?"""
    name = "close_reasons"
    reasons = Counter(
        str(change.reason)
        for change in case.changes
        if change.state in _WAITING and change.reason not in (None, _RESTART)
    )
    lost = sum(reasons.values())
    if lost == 0:
        return [Finding(name, Severity.OK, "The connection was not lost within the last hour.")]
    told = ", ".join(f"{reason} ×{count}" for reason, count in reasons.most_common())
    if lost >= OFTEN:
        words = f"The connection was lost {lost} times within the last hour ({told})."
        advice = "Check the network of the worker's machine and its clock; docs/howto/states.md explains each reason."
        return [Finding(name, Severity.PROBLEM, words, advice)]
    return [Finding(name, Severity.OK, f"Lost {lost} time(s) within the last hour ({told}), and came back.")]


def ended(case: Case) -> list[Finding]:
    """Is it down for a reason that only a person ends?"""
    name = "ended"
    known = _ENDED.get(case.reason or case.state) or _ENDED.get(case.state)
    if known is not None and case.state != "connected":
        return [Finding(name, Severity.PROBLEM, *known)]
    if case.state == "failed" and case.is_wanted and case.reason not in (
        "another_browser", "codes_ran_out", "another_number", "PairingRefused", "unreadable_store", "replaced"
    ):  # fmt: skip
        words = f"The connection has stopped after all its attempts (last reason: {case.reason or 'unknown'})."
        return [Finding(name, Severity.PROBLEM, words, "Run recado recover.")]
    return []


def competing_client(case: Case) -> list[Finding]:
    """Does another program use this same linked device?"""
    name = "competing_client"
    times = sum(1 for change in case.changes if change.reason == "replaced")
    if case.state == "replaced" or times >= 2:
        words = f"Another program takes this connection over again and again ({max(times, 1)} times within the hour)."
        advice = "Find the other program with this session (another server, a copy of the database) and stop it."
        return [Finding(name, Severity.PROBLEM, words, advice)]
    return [Finding(name, Severity.OK, "Nobody competes for this connection.")]


def back_off(case: Case) -> list[Finding]:
    """Is each pause between two attempts waited for?"""
    name = "back_off"
    early = sum(
        1
        for waiting, following in zip(case.changes, case.changes[1:], strict=False)
        if waiting.retry_at is not None and following.at < waiting.retry_at - _EARLY
    )
    if case.requests >= MOST_REQUESTS:
        words = f"Somebody asked for this connection {case.requests} times within ten minutes."
        advice = "Press Connect once and wait; a program that does it must stop, or WhatsApp will."
        return [Finding(name, Severity.PROBLEM, words, advice)]
    if early >= 2:
        words = f"{early} attempts came before their pause was over."
        advice = "Somebody restarts the connection or the worker in a circle: find out who, and let the pauses run."
        return [Finding(name, Severity.PROBLEM, words, advice)]
    return [Finding(name, Severity.OK, "The pauses between attempts are respected.")]


def clock_of_the_account(case: Case) -> list[Finding]:
    """Does our clock agree with WhatsApp's?"""
    name = "clock_whatsapp"
    credentials = case.session.credentials
    if credentials is None:
        return []
    off = abs(credentials.server_time_offset)
    if off > _SKEW:
        words = f"This machine's clock is {off} seconds off WhatsApp's."
        return [Finding(name, Severity.PROBLEM, words, "Set the clock, and keep it with NTP.")]
    return [Finding(name, Severity.OK, "The clock agrees with WhatsApp's.")]


def browser_identity(case: Case) -> list[Finding]:
    """Does the device still say that it is the browser it was linked as?"""
    name = "browser_identity"
    if case.browser is None:
        return []
    if case.browser.linked_as != case.browser.now:
        words = f"The device was linked as {case.browser.linked_as} and now says it is {case.browser.now}."
        advice = (
            "Put RECADO_BROWSER and RECADO_BROWSER_OS back and run recado recover: a browser that changes its name"
            " looks stolen, so it does not connect. If it is meant: recado serve --force-identity."
        )
        return [Finding(name, Severity.PROBLEM, words, advice)]
    return [Finding(name, Severity.OK, "The browser is the one that was linked.")]


STABILITY: tuple[Check, ...] = (
    close_reasons,
    ended,
    competing_client,
    back_off,
    clock_of_the_account,
    browser_identity,
)
