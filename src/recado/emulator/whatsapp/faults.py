"""
What goes wrong on purpose: faults are values in a schedule, taken one by one where they apply.

    world.faults.cut_before_ack(account)      the connection dies as the client's acknowledgement comes in
    world.faults.scatter(Fault.DUPLICATE, 0.1)   a tenth of all messages come twice; which ones, the seed decides

A story that fails prints `faults.seed`, and the same seed makes the same faults again. Reordering and corruption happen
to stanzas, before the Noise cipher.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from recado.jid import JID

if TYPE_CHECKING:
    from recado.emulator.whatsapp.accounts import Device


class Fault(StrEnum):
    """What can go wrong."""

    CORRUPT = "corrupt"  # a bit of the next ciphertext to the device flips
    DUPLICATE = "duplicate"  # the next message to the device goes out twice
    REORDER = "reorder"  # the next message to the device goes out behind the one after it
    CUT_BEFORE_ACK = "cut_before_ack"  # the device's next acknowledgement of a message is lost with the connection
    CUT_AFTER_ACK = "cut_after_ack"  # the connection ends right after it was taken
    LOSE_SENT = "lose_sent"  # the device's next message is lost with the connection
    CUT_UNANSWERED = "cut_unanswered"  # the device's next message is taken, the connection ends before our ack
    CUT_ANSWERED = "cut_answered"  # … ends after our ack
    DROP_ACK = "drop_ack"  # the device's next message is taken and never acknowledged
    DELAY_ACK = "delay_ack"  # … acknowledged after `seconds`
    REFUSE_MESSAGE = "refuse_message"  # … refused with `code` (463, 479), not relayed
    NO_PREKEY = "no_prekey"  # the next bundle of the device comes without a one-time key
    KEY_ERROR = "key_error"  # … is an error with `code`
    REFUSE_QUERY = "refuse_query"  # the device's next query (of xmlns `about`, if given) is refused with `code`
    SLOW_ANSWER = "slow_answer"  # … answered after `seconds`
    REFUSE_CODE = "refuse_code"  # the next linking code for that account (always named) is refused with `code`
    REFUSE_LOGIN = "refuse_login"  # the device's next login fails with `code`
    HOLD_OFFLINE_END = "hold_offline_end"  # the next queue of the device has no end mark
    UNAVAILABLE = "unavailable"  # the next message to the device comes without its content: only the phone gets that
    SKEW = "skew"  # the next message to the device carries a time off by `seconds`


@dataclass(frozen=True, slots=True)
class Planned:
    """
    One planned fault, how often and its figures. `user` is a number or a LID's user part, `device` one of its linked
    devices (None: any); without a `user` it is for whichever client is next, never for a phone.
    """

    fault: Fault
    user: str | None = None
    device: int | None = None
    times: int = 1
    code: int = 500
    seconds: float = 0.0
    about: str | None = None
    chance: float = 1.0

    def fits(self, fault: Fault, device: Device, about: str | None) -> bool:
        """Is it meant for this fault, device and subject?"""
        if self.fault is not fault or self.about not in (None, about):
            return False
        if self.user is None:
            return device.number > 0
        return self.user in device.account.names and self.device in (None, device.number)


Whom = JID | str | None
"""An address (of one device, or of all an account has), a number, or None for whichever client is next."""


class Faults:
    """The schedule of a world: plan faults, and take those that are due."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.happened: list[Planned] = []
        self._planned: list[Planned] = []
        self._dice = random.Random(seed)  # noqa: S311 - repeatable on purpose, guards nothing

    def plan(
        self,
        fault: Fault,
        whom: Whom = None,
        *,
        times: int = 1,
        code: int = 500,
        seconds: float = 0.0,
        about: str | None = None,
    ) -> None:
        """Let `fault` happen to `whom` the next `times` times."""
        self._planned.append(Planned(fault, *_aim(whom), times, code, seconds, about))

    def scatter(self, fault: Fault, chance: float, whom: Whom = None, *, code: int = 500, seconds: float = 0.0) -> None:
        """Let `fault` happen with that chance each time it could, until `clear`."""
        self._planned.append(Planned(fault, *_aim(whom), -1, code, seconds, None, chance))

    def take(self, fault: Fault, device: Device, *, about: str | None = None) -> Planned | None:
        """The planned fault that happens now to `device`, if any; it is used up."""
        for place, planned in enumerate(self._planned):
            if not planned.fits(fault, device, about):
                continue
            if planned.chance < 1.0 and self._dice.random() >= planned.chance:
                continue
            if planned.times > 1:
                self._planned[place] = replace(planned, times=planned.times - 1)
            elif planned.times == 1:
                del self._planned[place]
            self.happened.append(planned)
            return planned
        return None

    @property
    def planned(self) -> tuple[Planned, ...]:
        """What is still to happen."""
        return tuple(self._planned)

    def clear(self) -> None:
        """Plan nothing any more."""
        self._planned.clear()

    def corrupt_next(self, whom: Whom = None) -> None:
        """The next ciphertext to `whom` will not authenticate."""
        self.plan(Fault.CORRUPT, whom)

    def withhold_next(self, whom: Whom = None) -> None:
        """The next message to `whom` comes as <unavailable>: its phone has it, and may be asked."""
        self.plan(Fault.UNAVAILABLE, whom)

    def duplicate_next(self, whom: Whom = None) -> None:
        """The next message to `whom` is delivered twice."""
        self.plan(Fault.DUPLICATE, whom)

    def reorder_next(self, whom: Whom = None) -> None:
        """The next two messages to `whom` change places."""
        self.plan(Fault.REORDER, whom)

    def cut_before_ack(self, whom: Whom = None) -> None:
        """The connection of `whom` dies with its next acknowledgement of a message: the message will come again."""
        self.plan(Fault.CUT_BEFORE_ACK, whom)

    def cut_after_ack(self, whom: Whom = None) -> None:
        """The connection of `whom` dies right after its next acknowledgement of a message was taken."""
        self.plan(Fault.CUT_AFTER_ACK, whom)

    def drop_ack(self, whom: Whom = None) -> None:
        """The next message of `whom` is relayed and never acknowledged."""
        self.plan(Fault.DROP_ACK, whom)

    def delay_ack(self, seconds: float, whom: Whom = None) -> None:
        """The next message of `whom` is acknowledged late."""
        self.plan(Fault.DELAY_ACK, whom, seconds=seconds)

    def refuse_message(self, code: int, whom: Whom = None) -> None:
        """The next message of `whom` is refused with `code`."""
        self.plan(Fault.REFUSE_MESSAGE, whom, code=code)

    def lose_sent(self, whom: Whom = None) -> None:
        """The next message of `whom` is lost with the connection, before the server took it."""
        self.plan(Fault.LOSE_SENT, whom)

    def cut_unanswered(self, whom: Whom = None) -> None:
        """The next message of `whom` is relayed, and the connection dies before the acknowledgement."""
        self.plan(Fault.CUT_UNANSWERED, whom)

    def refuse_login(self, code: int, whom: Whom = None) -> None:
        """The next login of `whom` fails with that reason."""
        self.plan(Fault.REFUSE_LOGIN, whom, code=code)

    def refuse_query(self, code: int, whom: Whom = None, *, about: str | None = None) -> None:
        """The next query of `whom` (of the namespace `about`) is refused with `code`."""
        self.plan(Fault.REFUSE_QUERY, whom, code=code, about=about)

    def refuse_code(self, code: int, whom: Whom) -> None:
        """The next attempt to link a device to `whom` by a code is refused with `code`."""
        self.plan(Fault.REFUSE_CODE, whom, code=code)

    def slow_answer(self, seconds: float, whom: Whom = None, *, about: str | None = None) -> None:
        """The next query of `whom` is answered late."""
        self.plan(Fault.SLOW_ANSWER, whom, seconds=seconds, about=about)


def _aim(whom: Whom) -> tuple[str | None, int | None]:
    """User and device; an address without a device means any of its devices."""
    if isinstance(whom, str) and "@" in whom:
        whom = JID.parse(whom)
    if isinstance(whom, JID):
        return whom.user, whom.device or None
    return (None if whom is None else "".join(filter(str.isdigit, whom))), None
