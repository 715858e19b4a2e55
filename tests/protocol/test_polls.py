from __future__ import annotations

from datetime import UTC, datetime, timedelta

from recado.content import Poll, PollVote, Text
from recado.events import MessageId, MessageReceived, MessageSent
from recado.jid import JID
from recado.polls import Tally

ME, RUI, LEO = (JID.phone(f"55000000000{number}") for number in (1, 2, 3))
NOW = datetime(2026, 11, 20, tzinfo=UTC)
POLL = Poll("Days?", ("monday", "friday"), 0)


def voted(voter: JID, options: tuple[str, ...], minutes: int, poll: str = "P") -> MessageReceived:
    return MessageReceived(
        account=ME,
        at=NOW,
        id=MessageId(f"{voter.user}-{minutes}"),
        chat=RUI,
        sender=voter,
        from_me=voter == ME,
        content=PollVote(poll, options),
        sent_at=NOW + timedelta(minutes=minutes),
    )


def test_each_voters_newest_vote_counts_whatever_came_first() -> None:
    tally = Tally("P", POLL)
    assert tally.note(voted(RUI, ("monday", "friday"), 2))
    assert not tally.note(voted(RUI, ("monday",), 1))
    assert tally.note(voted(LEO, ("friday",), 3))
    assert tally.counted == {"monday": (RUI,), "friday": (RUI, LEO)}
    assert tally.note(voted(RUI, (), 4))
    assert tally.counted == {"monday": (), "friday": (LEO,)}


def test_own_votes_count_once_wherever_they_were_written() -> None:
    tally = Tally("P", POLL)
    sent = MessageSent(account=ME, at=NOW, id=MessageId("A"), chat=RUI, content=PollVote("P", ("monday",)), sent_at=NOW)
    assert tally.note(sent)
    assert tally.note(voted(ME, ("friday",), 1))
    assert tally.counted == {"monday": (), "friday": (ME,)}


def test_what_is_no_vote_in_it_does_not_count() -> None:
    tally = Tally("P", POLL)
    assert not tally.note(voted(RUI, ("monday",), 1, poll="Q"))
    said = MessageSent(account=ME, at=NOW, id=MessageId("A"), chat=RUI, content=Text("monday"), sent_at=NOW)
    assert not tally.note(said)
    assert tally.note(voted(RUI, ("f00d",), 1))
    assert tally.counted == {"monday": (), "friday": ()}
