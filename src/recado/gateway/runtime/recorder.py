"""
Recording facts: the rows they change and the events they are, in the caller's transaction. The only way into the
stream, for every provider. The events come last: their numbers hold the mentorado's stream until the commit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from recado.events import Fact
from recado.gateway import metrics
from recado.gateway.consent.stopping import heed
from recado.gateway.db.notify import STREAM
from recado.gateway.db.unit import Unit
from recado.gateway.media.service import note_inbound
from recado.gateway.pacing.learning import learn_from
from recado.gateway.runtime.projector import project
from recado.gateway.stream.notices import tell
from recado.gateway.stream.repository import add_facts
from recado.store.facts import fact_kind


async def record(unit: Unit, provider: str, facts: Sequence[Fact]) -> None:
    """Make these facts true here and tell of them. Raises Collided: do the unit again."""
    facts = await note_inbound(unit, provider, facts)
    await project(unit, provider, facts)
    learnt = await learn_from(unit, provider, facts)
    consents = await heed(unit, facts)
    await add_facts(unit, provider, facts)
    if learnt or consents:
        await tell(unit, *learnt, *consents)
    unit.tell(STREAM)
    for kind, number in Counter(map(fact_kind, facts)).items():
        metrics.FACTS_RECORDED.labels(kind).inc(number)
