"""
What exists at Meta's: business accounts (WABA), their phone numbers, access tokens, and what the numbers sent. Values
and look-ups only; people are in people.py, the moves in sending.py, inbound.py and coexistence.py.
"""

from __future__ import annotations

import base64
import random
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

from recado.emulator.meta.errors import GraphError, unknown_object

if TYPE_CHECKING:
    from recado.emulator.meta.people import Person

MESSAGING = "whatsapp_business_messaging"
MANAGEMENT = "whatsapp_business_management"
WINDOW = timedelta(hours=24)
COEXISTENCE_THROUGHPUT = 20

Quality = Literal["GREEN", "YELLOW", "RED", "UNKNOWN"]
QUALITIES: tuple[Quality, ...] = get_args(Quality)
SentStatus = Literal["accepted", "sent", "delivered", "read", "played", "failed"]


@dataclass(slots=True)
class Rules:
    """Which of Meta's rules hold here; tests switch what they are about."""

    closed_window: Literal["status", "answer"] = "status"  # 131047 comes by webhook, as at Meta's, or at once
    pair_rate: bool = False  # 1 message in 6 s to one person
    throughput: bool = True  # the number's messages a second
    user_ids: bool = True  # webhooks carry user_id (since April 2026)
    conversations: bool = True  # statuses carry a conversation object
    media_sizes: bool = True  # the limits on the size of files


@dataclass(frozen=True, slots=True)
class Override:
    """Another address for the webhooks of one account or number."""

    url: str
    verify_token: str


@dataclass(slots=True)
class Waba:
    """A WhatsApp Business Account."""

    id: str
    name: str
    is_subscribed: bool = True
    override: Override | None = None
    locked: int | None = None  # every send is refused with this code (131031, 368, 131042, …)


@dataclass(slots=True)
class Sent:
    """A message a number sent, and how far it came. `person` is None when nobody has that address."""

    id: str
    number: Number
    person: Person | None
    input: str
    kind: str
    content: dict[str, Any]
    text: str
    category: str
    opaque: str | None
    reply_to: str | None
    at: datetime
    by_user_id: bool = False
    status: SentStatus = "accepted"
    code: int | None = None


@dataclass(slots=True)
class Number:
    """A business phone number."""

    id: str
    display: str
    waba: Waba
    name: str
    quality: Quality = "GREEN"
    throughput: int = 80
    is_registered: bool = True
    is_coexisting: bool = False
    pin: str | None = None
    limit_tier: str = "TIER_1K"
    override: Override | None = None
    sent: dict[str, Sent] = field(default_factory=dict)
    recent: deque[datetime] = field(default_factory=deque)
    synced: set[str] = field(default_factory=set)
    typing_until: dict[str, datetime] = field(default_factory=dict)

    @property
    def digits(self) -> str:
        """The number without its ornaments, as webhooks show it."""
        return "".join(filter(str.isdigit, self.display))

    @property
    def metadata(self) -> dict[str, str]:
        """As every webhook names the number."""
        return {"display_phone_number": self.digits, "phone_number_id": self.id}

    @property
    def rate(self) -> int:
        """Messages a second."""
        return COEXISTENCE_THROUGHPUT if self.is_coexisting else self.throughput


@dataclass(slots=True)
class Token:
    """An access token. `wabas` None: of every account."""

    value: str
    permissions: set[str] = field(default_factory=lambda: {MESSAGING, MANAGEMENT})
    wabas: set[str] | None = None
    expires_at: datetime | None = None
    is_revoked: bool = False

    def check(self, now: datetime) -> None:
        """Raises GraphError when it is good no more."""
        if self.is_revoked:
            raise GraphError(
                190,
                "Error validating access token: The session has been invalidated because the user revoked it.",
                subcode=458,
            )
        if self.expires_at is not None and now >= self.expires_at:
            raise GraphError(
                190,
                f"Error validating access token: Session has expired on {self.expires_at:%A, %d-%b-%y %H:%M:%S} PDT.",
                subcode=463,
            )

    def need(self, permission: str) -> None:
        """Raises GraphError when it does not grant that."""
        if permission not in self.permissions:
            raise GraphError(10, message="Application does not have permission for this action")

    def sees(self, waba: Waba) -> bool:
        """Is the account one of the token's?"""
        return self.wabas is None or waba.id in self.wabas


class Ids:
    """Ids that look like Meta's and repeat with the seed."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311 - repeatable on purpose, guards nothing

    def digits(self, count: int = 15) -> str:
        """A Graph object's id."""
        return str(self._dice.randint(10 ** (count - 1), 10**count - 1))

    def text(self, count: int) -> str:
        """Letters and digits."""
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        return "".join(self._dice.choice(letters) for _ in range(count))

    def hex(self, count: int = 32) -> str:
        """Hex digits."""
        return f"{self._dice.getrandbits(count * 4):0{count}x}"

    def message(self, party: str) -> str:
        """A `wamid.`, which wraps the other party's number as Meta's do."""
        inside = f"\x1c\x18{chr(len(party))}{party}\x15\x02\x00\x11\x18\x12{self.hex(18).upper()}\x00"
        return "wamid." + base64.b64encode(inside.encode("latin-1")).decode()


class World:
    """The objects, by their ids."""

    def __init__(self, ids: Ids) -> None:
        self.ids = ids
        self.app_id = ids.digits()
        self.app_secret = ids.hex()
        self.verify_token = ids.text(16)
        self.wabas: dict[str, Waba] = {}
        self.numbers: dict[str, Number] = {}
        self.tokens: dict[str, Token] = {}

    def add_waba(self, name: str = "Business") -> Waba:
        """A new business account."""
        waba = Waba(self.ids.digits(), name)
        self.wabas[waba.id] = waba
        return waba

    def add_number(
        self, display: str | None = None, *, waba: Waba | None = None, name: str = "Demo", coexistence: bool = False
    ) -> Number:
        """A new registered number, in a new account unless one is given."""
        waba = waba or self.add_waba(name)
        shown = display or f"+1 555-010-{len(self.numbers):04}"
        number = Number(self.ids.digits(), shown, waba, name, is_coexisting=coexistence)
        self.numbers[number.id] = number
        return number

    def add_token(
        self,
        *,
        permissions: set[str] | None = None,
        wabas: set[str] | None = None,
        expires_at: datetime | None = None,
    ) -> Token:
        """A new access token."""
        token = Token("EAA" + self.ids.text(60), wabas=wabas, expires_at=expires_at)
        if permissions is not None:
            token.permissions = set(permissions)
        self.tokens[token.value] = token
        return token

    @property
    def app_token(self) -> str:
        """The app's own token, for /debug_token and /{app}/subscriptions."""
        return f"{self.app_id}|{self.app_secret}"

    def token(self, value: str, now: datetime) -> Token:
        """The token of that value. Raises GraphError."""
        if value == self.app_token:
            return Token(value)
        token = self.tokens.get(value)
        if token is None:
            raise GraphError(190, "Invalid OAuth access token - Cannot parse access token")
        token.check(now)
        return token

    def number(self, id: str, token: Token, verb: str = "get") -> Number:
        """The number of that id, when the token sees it. Raises GraphError."""
        number = self.numbers.get(id)
        if number is None or not token.sees(number.waba):
            raise unknown_object(id, verb)
        return number

    def waba(self, id: str, token: Token, verb: str = "get") -> Waba:
        """The account of that id, when the token sees it. Raises GraphError."""
        waba = self.wabas.get(id)
        if waba is None or not token.sees(waba):
            raise unknown_object(id, verb)
        return waba

    def find_sent(self, message_id: str) -> Sent | None:
        """The message of that id that a number sent."""
        return next((each.sent[message_id] for each in self.numbers.values() if message_id in each.sent), None)
