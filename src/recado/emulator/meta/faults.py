"""
What goes wrong on purpose at Meta's: faults are values in a schedule, taken one by one where they apply.

    cloud.faults.plan(Fault.REFUSE, code=131056)                 the next message is refused
    cloud.faults.plan(Fault.LOSE_ANSWER)                         the next message is shown, its caller never hears
    cloud.faults.scatter(Fault.DUPLICATE_WEBHOOK, 0.1)           a tenth of all webhooks come twice, by the seed

`whom` is a phone number id or a person's phone; `about` the kind of request (`messages`, `media`, `templates`, …) or,
for webhooks, the field. What happened is kept in `happened`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from enum import StrEnum


class Fault(StrEnum):
    """What can go wrong."""

    REFUSE = "refuse"  # a request is refused with Graph error `code`; nothing is done
    FAIL_LATER = "fail_later"  # a message is accepted, then fails with `code` by webhook
    HTML_ERROR = "html_error"  # a request is answered `code` (500, 502, 503) with an HTML page; nothing is done
    HTML_AFTER = "html_after"  # … but the message was accepted
    HANG_UP = "hang_up"  # the connection ends before anything is done
    LOSE_ANSWER = "lose_answer"  # it is done, and the connection ends before the answer
    CUT_ANSWER = "cut_answer"  # it is done, and the connection ends in the middle of the answer
    SLOW_ANSWER = "slow_answer"  # it is done, and answered after `seconds`
    GARBLED_ANSWER = "garbled_answer"  # it is done, and answered 200 with something that is no JSON
    EXPIRED_URL = "expired_url"  # a media address is dead already
    WRONG_BYTES = "wrong_bytes"  # a media download has a flipped byte
    CUT_MEDIA = "cut_media"  # a media download ends half way
    DUPLICATE_WEBHOOK = "duplicate_webhook"  # a webhook comes twice
    REORDER_WEBHOOK = "reorder_webhook"  # a webhook comes behind the next one
    DELAY_WEBHOOK = "delay_webhook"  # a webhook comes `seconds` late
    REPEAT_ANSWERED = "repeat_answered"  # a webhook that was answered 200 comes again `seconds` later
    FORGED_SIGNATURE = "forged_signature"  # a webhook is signed with another secret (and sent again rightly)
    CUT_WEBHOOK = "cut_webhook"  # the connection ends in the middle of a webhook's body (and is tried again)
    SKIP_DELIVERED = "skip_delivered"  # the `delivered` status never comes


@dataclass(frozen=True, slots=True)
class Planned:
    """One planned fault, how often and its figures; `times` -1 is for ever."""

    fault: Fault
    whom: str | None = None
    times: int = 1
    code: int = 131000
    seconds: float = 0.0
    about: str | None = None
    chance: float = 1.0

    def fits(self, fault: Fault, whom: tuple[str, ...], about: str | None) -> bool:
        """Is it meant for this fault, these parties and this kind of request?"""
        return self.fault is fault and self.about in (None, about) and (self.whom is None or self.whom in whom)


class Faults:
    """The schedule: plan faults, and take those that are due."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.happened: list[Planned] = []
        self._planned: list[Planned] = []
        self._dice = random.Random(seed)  # noqa: S311 - repeatable on purpose, guards nothing

    def plan(
        self,
        fault: Fault,
        whom: str | None = None,
        *,
        times: int = 1,
        code: int = 131000,
        seconds: float = 0.0,
        about: str | None = None,
    ) -> None:
        """Let `fault` happen the next `times` times (-1: until `clear`)."""
        self._planned.append(Planned(fault, whom, times, code, seconds, about))

    def scatter(
        self,
        fault: Fault,
        chance: float,
        whom: str | None = None,
        *,
        code: int = 131000,
        seconds: float = 0.0,
        about: str | None = None,
    ) -> None:
        """Let `fault` happen with that chance each time it could, until `clear`."""
        self._planned.append(Planned(fault, whom, -1, code, seconds, about, chance))

    def take(self, fault: Fault, *whom: str, about: str | None = None) -> Planned | None:
        """The planned fault that happens now, if any; it is used up."""
        for place, planned in enumerate(self._planned):
            if not planned.fits(fault, whom, about):
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
