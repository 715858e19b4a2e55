"""
What goes wrong on purpose at the emulated Z-API: faults are values in a schedule, taken one by one where they apply.

    zapi.faults.plan(Fault.LOSE_ANSWER, about="send-text")      the next text is taken, its answer never arrives
    zapi.faults.scatter(Fault.DUPLICATE_CALLBACK, 0.1)          a tenth of all callbacks come twice; the seed decides

`about` is the name of a route ("send-text", "status") or the type of a callback ("MessageStatusCallback").
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from enum import StrEnum


class Fault(StrEnum):
    """What can go wrong."""

    REFUSE = "refuse"  # the next request is refused with `code` and {"error": text}; nothing is taken
    BAD_GATEWAY = "bad_gateway"  # … is answered with an HTML page and 502; nothing is taken
    SLOW_ANSWER = "slow_answer"  # … is taken, and answered after `seconds`
    LOSE_REQUEST = "lose_request"  # the connection ends before the next request is taken
    LOSE_ANSWER = "lose_answer"  # the next request is taken, the connection ends before the answer
    CUT_ANSWER = "cut_answer"  # … is taken, the connection ends in the middle of the answer
    GARBLE_ANSWER = "garble_answer"  # … is taken, and answered 200 with a body that is not JSON
    BAD_GATEWAY_AFTER = "bad_gateway_after"  # … is taken, and answered with the HTML page and 502
    FAIL_SEND = "fail_send"  # the next accepted message does not go out: its DeliveryCallback says `text`
    SWALLOW_SEND = "swallow_send"  # the next accepted message is reported sent and shown on no phone
    DROP_CALLBACK = "drop_callback"  # the next callback is never posted
    DUPLICATE_CALLBACK = "duplicate_callback"  # … is posted twice
    REORDER_CALLBACK = "reorder_callback"  # … is posted behind the one after it
    DELAY_CALLBACK = "delay_callback"  # … is posted `seconds` later, those after it go first
    CUT_DOWNLOAD = "cut_download"  # the next download of a media file ends in its middle


@dataclass(frozen=True, slots=True)
class Planned:
    """One planned fault: for which instance (None: any), about what (None: anything), how often, with which figures."""

    fault: Fault
    instance: str | None = None
    about: str | None = None
    times: int = 1
    chance: float = 1.0
    code: int = 400
    seconds: float = 0.0
    text: str = ""
    number: int = 0


class Faults:
    """The schedule of one emulator: plan faults, and take those that are due."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.happened: list[Planned] = []
        self._planned: list[Planned] = []
        self._scattered = 0
        self._dice: dict[tuple[int, str | None, str], random.Random] = {}

    def plan(
        self,
        fault: Fault,
        instance: str | None = None,
        *,
        about: str | None = None,
        times: int = 1,
        code: int = 400,
        seconds: float = 0.0,
        text: str = "",
    ) -> None:
        """Let `fault` happen the next `times` times it could."""
        self._planned.append(Planned(fault, instance, about, times, 1.0, code, seconds, text))

    def scatter(
        self,
        fault: Fault,
        chance: float,
        instance: str | None = None,
        *,
        about: str | None = None,
        code: int = 400,
        seconds: float = 0.0,
        text: str = "",
    ) -> None:
        """Let `fault` happen with that chance each time it could, until `clear`."""
        self._scattered += 1
        self._planned.append(Planned(fault, instance, about, -1, chance, code, seconds, text, self._scattered))

    def take(self, fault: Fault, instance: str | None, about: str) -> Planned | None:
        """The planned fault that happens now, if any; it is used up."""
        for place, planned in enumerate(self._planned):
            if planned.fault is not fault or planned.instance not in (None, instance):
                continue
            if planned.about not in (None, about):
                continue
            if planned.chance < 1.0 and self._throw(planned.number, instance, about) >= planned.chance:
                continue
            if planned.times > 1:
                self._planned[place] = replace(planned, times=planned.times - 1)
            elif planned.times == 1:
                del self._planned[place]
            self.happened.append(planned)
            return planned
        return None

    def _throw(self, number: int, instance: str | None, about: str) -> float:
        """Each plan has dice of its own for each instance and subject: what happens elsewhere moves none of them."""
        key = (number, instance, about)
        if key not in self._dice:
            self._dice[key] = random.Random(f"{self.seed} {key}")  # noqa: S311 - repeatable on purpose
        return self._dice[key].random()

    @property
    def planned(self) -> tuple[Planned, ...]:
        """What is still to happen."""
        return tuple(self._planned)

    def clear(self) -> None:
        """Plan nothing any more."""
        self._planned.clear()
