"""
What the gateway counts, for Prometheus: every metric is declared here and nowhere else, so this page is the list. No
label holds a number, a name or a text; a mentorado is never a label either, for there may be thousands.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

REGISTRY = CollectorRegistry()

ACCOUNTS_RESTARTED = Counter(
    "recado_accounts_restarted",
    "Accounts that were open, made no progress, and were started anew, by what they were stuck at.",
    ["reason"],
    registry=REGISTRY,
)

GUARDRAIL_VERDICTS = Counter(
    "recado_guardrail_verdicts",
    "What the guardrails said: where they were asked (queue, wire), what came of it, and which rule held it.",
    ["place", "outcome", "rule"],
    registry=REGISTRY,
)

MESSAGES_SETTLED = Counter(
    "recado_messages_settled",
    "Messages the outbox was done with, by what became of them: server_ack, failed or unknown.",
    ["state"],
    registry=REGISTRY,
)
