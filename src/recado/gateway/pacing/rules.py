"""
The guardrails' settings: frozen values with safe defaults, and how an operator's and a mentorado's own changes are laid
over them. Every limit counts what the whole connection has sent, whoever sent it; a program is simply held at a lower
count than a person.

Numbers are per rolling window (the last 60 seconds, hour, 24 hours), never per calendar day.
"""

from __future__ import annotations

import json
import zoneinfo
from collections.abc import Mapping
from datetime import time, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema, field_validator

from recado.errors import UsageError
from recado.gateway.pacing.verdict import Origin

UNLIMITED = 1_000_000
"""The largest count; a budget of so many is none."""

Count = Annotated[int, Field(ge=0, le=UNLIMITED)]
Minutes = Annotated[int, Field(ge=0, le=60 * 24 * 30)]
Seconds = Annotated[float, Field(ge=0, le=3600)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Pace(_Settings):
    """How fast one kind of sender may go on a connection, and to one person."""

    per_minute: Count
    per_hour: Count
    per_day: Count
    seconds_between: Seconds = 0.0
    """The pause after the message before, on this connection."""
    jitter: float = Field(default=0.5, ge=0, le=1)
    """How far that pause strays, as a part of it, either way."""
    recipient_per_minute: Count = UNLIMITED
    recipient_per_day: Count = UNLIMITED
    """Messages to one person."""


class WarmUpStep(_Settings):
    """What a connection may do from the start of this day of its age on, until the next step."""

    day: int = Field(ge=0, le=365)
    per_day: Count
    new_chats: Count


LocalTime = Annotated[time, WithJsonSchema({"type": "string", "pattern": r"^\d{2}:\d{2}(:\d{2}(\.\d+)?)?$"})]
"""A time of the mentorado's own clock: the format that JSON Schema calls "time" would want an offset."""


class QuietHours(_Settings):
    """When programs and campaigns are silent, on the mentorado's own clock; equal ends switch it off."""

    start: LocalTime = time(21)
    end: LocalTime = time(8)
    time_zone: str = "America/Sao_Paulo"

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in zoneinfo.available_timezones():
            raise ValueError("is not the IANA name of a time zone")
        return name


class Repetition(_Settings):
    """Near-identical texts to different people; answers within an open conversation do not count."""

    people: Count = 5
    window_minutes: Minutes = 60
    likeness: float = Field(default=0.6, gt=0, le=1)
    """From what part of shared pieces on two texts count as the same one."""
    shortest: Count = 12
    """Texts with fewer letters and digits than this are not compared."""


class Typing(_Settings):
    """How long "typing…" is shown before a message, by the length of its text."""

    characters_per_second: float = Field(default=25.0, gt=0, le=1000)
    shortest_seconds: Seconds = 1.0
    longest_seconds: Seconds = 6.0
    for_person: bool = False
    """Also before what a person wrote at the page, who took the time to type it."""


WARM_UP = tuple(
    WarmUpStep(day=day, per_day=per_day, new_chats=new_chats)
    for day, per_day, new_chats in (
        (0, 20, 3), (1, 30, 5), (2, 40, 7), (3, 55, 9), (4, 70, 11), (5, 85, 13), (6, 100, 15),
        (7, 130, 18), (8, 160, 21), (9, 200, 24), (10, 250, 28), (11, 300, 32), (12, 400, 36), (13, 500, 40),
    )
)  # fmt: skip


class Rules(_Settings):
    """Every guardrail's settings for one mentorado."""

    enabled: bool = True
    """Off: nothing is asked at all, not even who opted out. The operator's alone to set."""
    person: Pace = Pace(per_minute=60, per_hour=600, per_day=3000)
    automation: Pace = Pace(
        per_minute=12, per_hour=240, per_day=1000, seconds_between=2.0, recipient_per_minute=8, recipient_per_day=100
    )
    campaign: Pace = Pace(
        per_minute=6, per_hour=120, per_day=500, seconds_between=8.0, recipient_per_minute=1, recipient_per_day=2
    )
    new_chats_per_day: Count = 50
    """Programs and campaigns: people who have never written to us, and to whom we never wrote."""
    warm_up: tuple[WarmUpStep, ...] = Field(default=WARM_UP, max_length=60)
    """Programs and campaigns, by the connection's age in days since its first link; behind the last day, no more."""
    warm_up_days: int = Field(default=14, ge=0, le=365)
    quiet_hours: QuietHours = QuietHours()
    reply_minutes: Minutes = 60
    """A conversation is open for so long after the other side wrote: no quiet hours, and no repetition, there."""
    repetition: Repetition = Repetition()
    take_over_minutes: Minutes = 60
    """What a person sends takes the conversation over from programs for so long; 0: it does not."""
    phone_takes_over: bool = True
    """What the mentorado writes on their own phone takes the conversation over as well."""
    person_may_write_to_opted_out: bool = True
    back_off_minutes: Minutes = 15
    """After WhatsApp's "too many", when it names no time."""
    time_lock_hours: int = Field(default=24, ge=1, le=24 * 30)
    """After WhatsApp's lock on new chats (463) or a temporary ban (402), when it names no time."""
    typing: Typing = Typing()

    def pace(self, origin: Origin) -> Pace:
        """How fast that kind of sender may go."""
        return {Origin.PERSON: self.person, Origin.AUTOMATION: self.automation, Origin.CAMPAIGN: self.campaign}[origin]

    def warm_up_step(self, age: timedelta) -> WarmUpStep | None:
        """The step a connection of that age is at; None when it is warm."""
        if age >= timedelta(days=self.warm_up_days):
            return None
        return max((step for step in self.warm_up if step.day <= age.days), key=lambda step: step.day, default=None)

    def with_changes(self, changes: Mapping[str, Any]) -> Rules:
        """These rules with `changes` laid over them, group by group. Raises UsageError, naming the field."""
        try:
            return Rules.model_validate(merged(self.model_dump(), changes))
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            raise UsageError(f"guardrails: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


RELAXED: Mapping[str, Any] = {
    **{
        origin: {
            "per_minute": UNLIMITED,
            "per_hour": UNLIMITED,
            "per_day": UNLIMITED,
            "seconds_between": 0,
            "recipient_per_minute": UNLIMITED,
            "recipient_per_day": UNLIMITED,
        }
        for origin in ("person", "automation", "campaign")
    },
    "new_chats_per_day": UNLIMITED,
    "warm_up_days": 0,
    "quiet_hours": {"start": "00:00", "end": "00:00"},
    "repetition": {"people": UNLIMITED},
    "typing": {"shortest_seconds": 0, "longest_seconds": 0},
}
"""No pace, warm-up, quiet hours or typing; consent, take-over and WhatsApp's own restrictions still hold."""

_NAMED: Mapping[str, Mapping[str, Any]] = {"": {}, "relaxed": RELAXED, "off": {"enabled": False}}


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`changes` over `base`: groups are merged, everything else replaced."""
    result = dict(base)
    for name, value in changes.items():
        below = result.get(name)
        result[name] = merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return result


def operator_rules(given: Rules | str) -> Rules:
    """What `RECADO_GUARDRAILS` says: nothing, `relaxed`, `off`, or a JSON object of changes. Raises ValueError."""
    if isinstance(given, Rules):
        return given
    text = given.strip()
    try:
        changes = _NAMED[text] if text in _NAMED else json.loads(text)
        if not isinstance(changes, Mapping):
            raise ValueError
        return Rules().with_changes(changes)
    except UsageError as error:
        raise ValueError(str(error)) from None
    except ValueError:
        raise ValueError('must be "relaxed", "off", or a JSON object of changes to the guardrails') from None
