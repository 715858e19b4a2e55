"""
Who gets a campaign's message, with which text, and who is skipped for which reason. The dry run asks it of everybody
and the job of the few whose turn it is, so that what was foreseen is what happens, as of each moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from recado.gateway.campaigns import repository
from recado.gateway.campaigns.repository import Campaign, Waiting
from recado.gateway.campaigns.template import MissingField, render
from recado.gateway.consent.service import standings
from recado.gateway.db.unit import Unit

INVALID_ADDRESS = "invalid_address"
UNKNOWN_CONTACT = "unknown_contact"
DUPLICATE = "duplicate"
NO_OPT_IN = "no_opt_in"
OPTED_OUT = "opted_out"
MISSING_FIELD = "missing_field"
REPETITION = "repetition"
CANCELLED = "cancelled"

REPEATED_WITHIN = timedelta(days=7)
"""The same text does not go to the same person again so soon."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One recipient: the text they get, or the reason they get none."""

    recipient: Waiting
    text: str = field(repr=False)
    reason: str | None = None


async def choose(unit: Unit, campaign: Campaign, waiting: Sequence[Waiting], *, now: datetime) -> list[Choice]:
    """Each of these recipients, in their order."""
    stands = await standings(unit, [recipient.contact_id for recipient in waiting], campaign.purpose)
    choices = []
    for recipient in waiting:
        standing = stands.get(recipient.contact_id)
        reason, text = None, ""
        if recipient.phone is None and recipient.lid is None:
            reason = INVALID_ADDRESS
        elif recipient.is_double:
            reason = DUPLICATE
        elif standing is None:
            reason = NO_OPT_IN
        elif standing.kind == "out":
            reason = OPTED_OUT
        else:
            try:
                text = render(campaign.text, recipient.fields)
            except MissingField:
                reason = MISSING_FIELD
        choices.append(Choice(recipient, text, reason))
    chosen = [(choice.recipient, choice.text) for choice in choices if choice.reason is None]
    if not chosen:
        return choices
    repeated = await repository.list_repeated(unit, chosen, since=now - REPEATED_WITHIN)
    return [
        Choice(choice.recipient, "", REPETITION)
        if choice.recipient.id in repeated and choice.reason is None
        else choice
        for choice in choices
    ]
