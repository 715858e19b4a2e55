"""
What the gateway counts, for Prometheus: every metric is declared here and nowhere else, so this page is the list. No
label holds a number, a name or a text; a mentorado is never a label either, for there may be thousands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from recado.gateway.monitoring.backlog import Backlog

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

REQUESTS = Counter(
    "recado_http_requests",
    "Requests answered, by method, route and status.",
    ["method", "route", "status"],
    registry=REGISTRY,
)

REQUEST_SECONDS = Histogram(
    "recado_http_request_seconds",
    "How long a request took, streams left out.",
    ["route"],
    registry=REGISTRY,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

FACTS_RECORDED = Counter(
    "recado_facts_recorded",
    "Facts recorded by this process, by kind (message.received, …); a few may be of units that were undone.",
    ["kind"],
    registry=REGISTRY,
)

ROWS_FORGOTTEN = Counter(
    "recado_rows_forgotten", "Rows thrown away because their time was over, by kind.", ["kind"], registry=REGISTRY
)

ACCOUNTS_RUNNING = Gauge("recado_accounts_running", "Accounts this process runs.", registry=REGISTRY)

TASKS = Gauge("recado_tasks", "Tasks of this process that are not over.", registry=REGISTRY)

CONNECTIONS = Gauge(
    "recado_connections", "Connections of all mentorados, by the state that is told.", ["state"], registry=REGISTRY
)

OUTBOX_WAITING = Gauge("recado_outbox_waiting", "Messages that are due and not settled.", registry=REGISTRY)

OUTBOX_OLDEST_SECONDS = Gauge(
    "recado_outbox_oldest_seconds", "How long the oldest of those has been due.", registry=REGISTRY
)

PLACEHOLDERS_WAITING = Gauge(
    "recado_placeholders_waiting", "Messages of a day that could not be opened and were not resent.", registry=REGISTRY
)

DATABASE_UP = Gauge("recado_database_up", "Did the database answer when this was asked?", registry=REGISTRY)


def take_backlog(backlog: Backlog) -> None:
    """Show what waits over all mentorados."""
    CONNECTIONS.clear()
    for state, number in backlog.connections_by_state.items():
        CONNECTIONS.labels(state).set(number)
    OUTBOX_WAITING.set(backlog.outbox_waiting)
    OUTBOX_OLDEST_SECONDS.set(backlog.outbox_oldest_seconds)
    PLACEHOLDERS_WAITING.set(backlog.placeholders_waiting)


WEBHOOK_ATTEMPTS = Counter(
    "recado_webhook_attempts",
    "Events posted to webhooks, by whether they were taken.",
    ["outcome"],
    registry=REGISTRY,
)

WEBHOOK_SECONDS = Histogram(
    "recado_webhook_seconds",
    "How long a webhook took to answer.",
    registry=REGISTRY,
)

PROVIDER_CALLBACKS = Counter(
    "recado_provider_callbacks",
    "Calls of the HTTP providers, by what became of each: taken, repeated, early, unknown, malformed, unaddressed, …",
    ["provider", "outcome"],
    registry=REGISTRY,
)

RESENDS = Counter(
    "recado_resends",
    "Messages that had to come again over WhatsApp Web: asked, answered or refused by us; author_asked, phone_asked, "
    "filled or missed for us.",
    ["what"],
    registry=REGISTRY,
)

MEDIA_FETCHED = Counter(
    "recado_media_fetched",
    "Files of messages, by what became of fetching them: stored, again, lost.",
    ["provider", "outcome"],
    registry=REGISTRY,
)
