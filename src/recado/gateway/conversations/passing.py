"""
What goes along with a message beside its words: that it is passed on from another one, that it disappears. Only a road
that has marks says so; on the others the request is refused, and not sent as something else.
"""

from __future__ import annotations

from dataclasses import dataclass

from recado.content import Content, Edit, EventAnswer, Keep, Media, Pin, PollVote, Reaction, Revoke, Text
from recado.errors import BadRecord
from recado.gateway.conversations import repository
from recado.gateway.conversations.contents import check_content
from recado.gateway.db.unit import Unit
from recado.gateway.providers.roads import ROADS
from recado.gateway.refusals import BadContent, NotSupported
from recado.store.facts import content_from_json

_TIMERS = (86_400, 604_800, 7_776_000)
_ABOUTS = (Edit, EventAnswer, Keep, Pin, PollVote, Reaction, Revoke)


@dataclass(frozen=True, slots=True)
class Passing:
    """The id of the message that is passed on, and after how many seconds the phones drop this one."""

    forward: str | None = None
    expires_in: int | None = None

    def check(self) -> None:
        """Raises BadContent for a time that phones do not know."""
        if self.expires_in is not None and self.expires_in not in (0, *_TIMERS):
            raise BadContent("a message disappears after 1, 7 or 90 days, or (0) not at all")

    def asked(self) -> dict[str, object]:
        """What of it was asked for, by name."""
        named = {"forward": self.forward, "expires_in": self.expires_in}
        return {name: value for name, value in named.items() if value is not None}


NOTHING = Passing()


async def find_passed_on(unit: Unit, id: str) -> tuple[Content, int]:
    """What that message says, and how often it will have been passed on. Raises NotFound, BadContent."""
    row = await repository.get_message(unit, id)
    if row.revoked_at is not None:
        raise BadContent("that message was deleted")
    try:
        said = content_from_json(row.content) if row.content is not None else Text(row.text or "")
    except BadRecord:
        raise BadContent("that message cannot be passed on") from None
    if isinstance(said, _ABOUTS) or (isinstance(said, Media) and (said.is_view_once or not said.reference)):
        raise BadContent("that message cannot be passed on")
    check_content(said)
    return said, row.forwarded + 1


def check_marks(road: str, said: Content, passing: Passing) -> None:
    """Raises NotSupported when the road has no way to say what is to go along."""
    if ROADS[road].has_marks:
        return
    if passing.asked():
        raise NotSupported(f"{road} does not say that a message is passed on or disappears: only baileys does")
    if isinstance(said, Text | Media) and (said.mentions or said.mentions_all):
        raise NotSupported(f"{road} mentions nobody: only baileys does")
    if isinstance(said, Media) and (said.is_view_once or said.album is not None):
        raise NotSupported(f"{road} has neither albums nor files to be seen once: only baileys does")
