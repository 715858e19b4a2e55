"""
The one place that says whether a message may go. Asked twice: when it is queued (`judge`, which books nothing) and, by
the sender, in the transaction that claims it for the wire (`admit`, which books what it uses up).
"""

from __future__ import annotations

from datetime import datetime

from recado.gateway.db.unit import Unit
from recado.gateway.pacing.verdict import Allowed, Intent, Verdict


async def judge(unit: Unit, intent: Intent, *, now: datetime) -> Verdict:
    """What the rules say of a message that is about to be queued."""
    return Allowed()


async def admit(unit: Unit, intent: Intent, *, now: datetime) -> Verdict:
    """What the rules say at the wire; when allowed, what the message uses up is booked in this unit."""
    return Allowed()
