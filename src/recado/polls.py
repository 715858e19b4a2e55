"""
Counting a poll: each voter's newest vote counts, whatever order the votes came in. Plain data: votes are facts
(`MessageReceived`, `MessageSent`) whose content is a `PollVote`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from recado.content import Poll, PollVote
from recado.events import MessageReceived, MessageSent
from recado.jid import JID


@dataclass(slots=True)
class Tally:
    """The votes in the poll `id`, as far as they were noted."""

    id: str
    poll: Poll
    _votes: dict[JID, tuple[datetime, tuple[str, ...]]] = field(default_factory=dict)

    def note(self, fact: MessageReceived | MessageSent) -> bool:
        """Count a vote; False for what is none, is in another poll, or is older than what counts already."""
        vote = fact.content
        if not isinstance(vote, PollVote) or vote.poll != self.id:
            return False
        voter = fact.sender.bare if isinstance(fact, MessageReceived) and not fact.from_me else fact.account
        known = self._votes.get(voter)
        if known is not None and known[0] > fact.sent_at:
            return False
        self._votes[voter] = (fact.sent_at, vote.options)
        return True

    @property
    def counted(self) -> dict[str, tuple[JID, ...]]:
        """Who chose each option, in the poll's order; options that were added to it since are left out."""
        return {
            option: tuple(voter for voter, (_, chosen) in self._votes.items() if option in chosen)
            for option in self.poll.options
        }
