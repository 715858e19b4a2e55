"""Nothing of a mentorado's grows without an end unnoticed: each table is bounded, or kept for ever for a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

GATEWAY = Path(__file__).resolve().parents[3] / "src" / "recado" / "gateway"

KEPT = {
    "whatsapp_messages": "they are what is kept here; raw bytes go",
    "conversations": "as many as people and groups written with",
    "whatsapp_contacts": "as many as people written with",
    "contact_numbers": "as many as people written with, and as their numbers changed",
    "group_rules": "one a group",
    "labels": "as many as the account has, and one that is deleted goes",
    "conversation_members": "as many as people in groups, and who leaves is deleted",
    "message_receipts": "of messages to groups, as long as the message: one a member",
    "contact_identifiers": "how a person was known, until they are erased",
    "contact_merges": "so that an old id can be explained",
    "leads": "people made them, and delete them",
    "consents": "the ledger of consent only grows: it is the proof",
    "audit_log": "the record of who did what only grows",
    "erasures": "the proof that somebody was erased",
    "erased_opt_outs": "what the erased asked not to be sent counts for ever",
    "campaigns": "what was sent to whom, and who accepted the risk",
    "campaign_recipients": "what was sent to whom",
    "media": "what became of a message's file; the file itself goes by policy",
    "move_people": "who was moved to another road, and what came of it",
    "provider_message_ids": "as many as messages; a quote or a status may name one at any time",
    "api_keys": "people made them, and a revoked one names who did what",
}
"""Kept for ever, because."""

FEW = {
    "mentorados", "connections", "leases", "stream_heads", "browsers", "webhook_endpoints", "consent_settings",
    "pacing_settings", "pacing_heads", "pacing_links", "pacing_restrictions", "erasure_keys", "operations_under_way",
    "provider_credentials", "provider_hooks", "provider_choices",
}  # fmt: skip
"""One for each mentorado, connection, number or endpoint (and code), however long it runs."""

BY_ROUND = {
    "events", "outbox", "message_steps", "baileys_backups", "webhook_dead_letters", "errands", "pacing_attention",
    "campaign_dry_runs", "consent_answers", "provider_payloads", "requests",
}  # fmt: skip
"""Thrown away by the hourly round."""

BY_ITS_OWN_CODE = {
    "baileys_sessions": "providers/baileys/queries.sql",  # with their time, and replaced by key
    "data_keys": "db/vault.sql",  # a day after they were replaced
    "pacing_sends": "pacing/queries.sql",  # past every window, some with each send
    "pacing_takeovers": "pacing/queries.sql",  # one a conversation, and given back
    "meta_told": "providers/meta/queries.sql",  # past the time for which Meta repeats, some with each body
    "meta_templates": "providers/meta/queries.sql",  # those Meta lists no more
    "webhook_attempts": "webhooks/queries.sql",  # old ones, some with each attempt
    "zapi_early_statuses": "providers/zapi/queries.sql",  # with their message, and old ones with each that is added
}
"""Deleted beside what adds to them, by a query of this file."""


@pytest.fixture
def owner(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def test_every_table_of_a_mentorado_is_bounded_or_kept_for_a_reason(owner: psycopg.Connection[Any]) -> None:
    tables = [
        name
        for (name,) in owner.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
            " AND (c.relname = 'mentorados' OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid"
            " AND a.attname = 'mentorado_id' AND NOT a.attisdropped))"
        )
    ]
    assert sorted(tables) == sorted([*KEPT, *FEW, *BY_ROUND, *BY_ITS_OWN_CODE])


def test_the_round_deletes_from_the_tables_it_is_said_to_bound(owner: psycopg.Connection[Any]) -> None:
    sources = owner.execute(
        "SELECT string_agg(prosrc, '') FROM pg_proc WHERE proname LIKE 'forget_%' AND prosecdef"
    ).fetchone()
    assert sources is not None
    assert set(re.findall(r"DELETE FROM public\.(\w+)", sources[0])) == BY_ROUND


@pytest.mark.parametrize("table", sorted(BY_ITS_OWN_CODE))
def test_the_others_are_deleted_where_it_is_said(table: str) -> None:
    assert f"DELETE FROM {table} WHERE" in " ".join((GATEWAY / BY_ITS_OWN_CODE[table]).read_text().split())
