"""
What the server tells of channels, taken in: a change is a fact, the counts of posts are a signal to who listens.
"""

from __future__ import annotations

from recado.client.turn import Turn
from recado.events import NewsletterChanged, PostCounted
from recado.jid import JID
from recado.protocol.stanzas.newsletters import ChannelsSaid, NewsletterSays


async def on_channels(turn: Turn, sender: JID, says: NewsletterSays) -> None:
    """Take in what a notification says of channels, or (`sender`) counts in one."""
    if isinstance(says, ChannelsSaid):
        for change in says.changes:
            await turn.tx.record(
                NewsletterChanged(
                    account=turn.me,
                    at=turn.now,
                    newsletter=change.newsletter,
                    what=change.what,
                    value=change.value,
                    person=change.person,
                )
            )
        return
    for each in says.counts:
        turn.tell(
            PostCounted(
                account=turn.me,
                at=turn.now,
                newsletter=sender,
                server_id=each.server_id,
                views=each.views,
                reactions=each.reactions,
            )
        )
