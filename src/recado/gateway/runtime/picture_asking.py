"""
Which pictures a batch of facts has fetched: of whom a conversation begins with now, and of those who show another.
What people of the past show is asked for when somebody looks. In the projector's transaction; fetching is done by
media/fetching.py.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from recado.events import Fact, PictureChanged
from recado.gateway.db.unit import Unit
from recado.gateway.pictures import repository
from recado.gateway.providers.roads import ROADS
from recado.jid import JID


@dataclass(slots=True)
class Pictures:
    """What a batch says of pictures: whose is another now, and whether there is one at all."""

    _is_shown: dict[JID, bool] = field(default_factory=dict)

    def take(self, fact: PictureChanged) -> None:
        """The last word counts."""
        self._is_shown[fact.contact.bare] = fact.picture is not None

    async def settle(self, unit: Unit, provider: str, begun: Collection[UUID], facts: Sequence[Fact]) -> None:
        """Have fetched what is new; `begun` are the conversations that begin with this batch."""
        if not ROADS[provider].shares_state or not (begun or self._is_shown):
            return
        now = max(fact.at for fact in facts)
        if begun:
            await repository.want(unit, begun, now=now)
        if self._is_shown:
            changed = [whose for whose, is_shown in self._is_shown.items() if is_shown]
            gone = [whose for whose, is_shown in self._is_shown.items() if not is_shown]
            await repository.replace_pictures(unit, changed, gone, now=now)
