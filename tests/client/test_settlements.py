"""What is known of messages that count as sent, and by whom."""

from __future__ import annotations

from recado.client.settlements import REMEMBERED, Settlements
from recado.events import MessageId
from recado.store.cache import Cache
from recado.store.memory import MemoryStore
from recado.store.overlay import Overlay
from recado.store.transaction import Transaction

ONE = MessageId("3EB0AA")


def transaction() -> Transaction:
    return Transaction(Overlay(MemoryStore(), Cache(entries=1, size=1)))


def test_of_a_message_it_never_heard_of_it_knows_nothing() -> None:
    assert Settlements().is_settled(ONE, transaction()) is None


def test_a_message_under_way_is_not_settled_until_somebody_notes_it() -> None:
    settlements = Settlements()
    with settlements.under_way(ONE):
        assert settlements.is_settled(ONE, transaction()) is False
        settlements.note(ONE)
        assert settlements.is_settled(ONE, transaction()) is True
    assert settlements.is_settled(ONE, transaction()) is True


def test_what_a_transaction_settles_is_known_to_it_alone_before_the_commit() -> None:
    settlements, mine = Settlements(), transaction()
    with settlements.under_way(ONE):
        settlements.claim(ONE, mine)
        assert settlements.is_settled(ONE, mine) is True
        assert settlements.is_settled(ONE, transaction()) is None
        settlements.note(ONE)
        assert settlements.is_settled(ONE, transaction()) is True


def test_a_send_that_failed_leaves_the_question_to_the_store() -> None:
    settlements = Settlements()
    with settlements.under_way(ONE):
        settlements.claim(ONE, transaction())
    assert settlements.is_settled(ONE, transaction()) is None


def test_what_is_forgotten_for_want_of_room_is_unknown_again_but_not_what_is_under_way() -> None:
    settlements = Settlements()
    with settlements.under_way(ONE):
        settlements.note(ONE)
        for number in range(REMEMBERED + 1):
            settlements.note(MessageId(f"3EB0{number}"))
        assert settlements.is_settled(ONE, transaction()) is True
    assert settlements.is_settled(ONE, transaction()) is None
