"""
Who there is: accounts with a phone number and a LID, their devices, and the public keys each device published.

State only. A server holds nothing secret: of a device it knows the key it logs in with (`noise`) and what it published
for others (`KeyBundle`). Device 0 is the phone; a companion's number is never given twice. One-time keys are really
consumed: `take_prekey` hands each out once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from recado.emulator.whatsapp.appstate import SharedState
from recado.emulator.whatsapp.line import Line
from recado.emulator.whatsapp.mailbox import Letter, Mailbox
from recado.emulator.whatsapp.profile import Profile
from recado.jid import BOT, JID, LID, PHONE
from recado.protocol.node import Node
from recado.protocol.signal.agreement import PreKeyBundle
from recado.protocol.stanzas.hosted import HOSTED_DEVICE, as_named, unhosted

LOW_WATER = 5
"""With fewer one-time keys than this a device is told how many are left."""

_FIRST_NUMBER = 550000000001
_FIRST_LID = 100000000000001
_LID_STEP = 7919


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """A public prekey with its id; a signed one carries its 64-byte signature."""

    id: int
    public: bytes
    signature: bytes = b""


@dataclass(slots=True)
class KeyBundle:
    """What a device published so that others can write to it; `told_at` is the low count it was last told of."""

    registration_id: int
    identity: bytes
    signed_prekey: PublishedKey
    one_time: dict[int, bytes] = field(default_factory=dict)
    told_at: int | None = None

    def bundle(self, prekey: PublishedKey | None = None) -> PreKeyBundle:
        """What is handed out, with that one-time key."""
        signed = self.signed_prekey
        one_time = (None, None) if prekey is None else (prekey.id, prekey.public)
        return PreKeyBundle(self.registration_id, self.identity, signed.id, signed.public, signed.signature, *one_time)

    def take_prekey(self) -> PublishedKey | None:
        """Hand out the oldest one-time key, once; None when there is none left."""
        if not self.one_time:
            return None
        id = next(iter(self.one_time))
        return PublishedKey(id, self.one_time.pop(id))

    def must_tell(self) -> bool:
        """Is the stock low, and lower than the device was told? Answers once for each level: low, and empty."""
        left = len(self.one_time)
        if left >= LOW_WATER or (self.told_at is not None and (left > 0 or self.told_at == 0)):
            return False
        self.told_at = left
        return True


@dataclass(slots=True, eq=False)
class Device:
    """One device of an account: its keys, what waits for it, and the line it is reached by while it is connected."""

    account: Account
    number: int
    keys: KeyBundle
    noise: bytes | None = None
    key_index: int = 0
    mailbox: Mailbox = field(default_factory=Mailbox)
    line: Line | None = None
    is_reading: bool = False  # the queue was released: stanzas go out as they come
    was_active: bool = False  # it has taken up work at least once since it was linked
    held: Letter | None = None  # a fault holds it back, to go out behind the next one
    is_available: bool = False
    push: dict[str, str] = field(default_factory=dict, repr=False)  # where it wants to be woken
    dirty: dict[str, int] = field(default_factory=dict)  # what it must ask for anew, and since when it must
    away: dict[str, tuple[Node, float | None]] = field(default_factory=dict)  # told on return, while it counts
    phone: JID = field(init=False)
    """Its address in the phone number space."""
    lid: JID = field(init=False)
    """Its address in the LID space."""

    def __post_init__(self) -> None:
        self.phone = self.account.phone.with_device(self.number)
        self.lid = self.account.lid.with_device(self.number)

    @property
    def is_hosted(self) -> bool:
        """Does it run on WhatsApp's own servers?"""
        return self.number == HOSTED_DEVICE

    def named(self, *, by_lid: bool) -> JID:
        """How stanzas name it, in either space."""
        return as_named(self.lid if by_lid else self.phone)


@dataclass(slots=True, eq=False)
class Account:
    """One number: name, both addresses, devices, settings, and the numbers it has written with."""

    name: str
    number: str
    lid_user: str
    raw_id: int
    devices: dict[int, Device] = field(default_factory=dict)
    next_device: int = 1
    key_index_list: bytes = b""
    listed_at: int = 0
    app_state: SharedState = field(default_factory=SharedState)
    contacts: set[str] = field(default_factory=set)
    watchers: dict[str, Device] = field(default_factory=dict)
    privacy: dict[str, str] = field(default_factory=dict)
    status_for: str = "contacts"  # or "blacklist", "whitelist" of those in `status_people`
    status_people: list[str] = field(default_factory=list)
    blocked: set[str] = field(default_factory=set)
    about: str = ""
    last_seen: int | None = None
    profile: Profile = field(default_factory=Profile)
    phone: JID = field(init=False)
    """Its address in the phone number space."""
    lid: JID = field(init=False)
    """Its address in the LID space."""

    def __post_init__(self) -> None:
        self.phone = JID(self.number, PHONE)
        self.lid = JID(self.lid_user, LID)

    @property
    def names(self) -> tuple[str, str]:
        """What a fault may know it by: the number and the LID's user part."""
        return self.number, self.lid_user

    @property
    def companions(self) -> list[Device]:
        """The linked devices, without the phone."""
        return [device for number, device in sorted(self.devices.items()) if number]

    @property
    def is_available(self) -> bool:
        """Is any of its devices available?"""
        return any(device.is_available for device in self.devices.values())


class Directory:
    """All accounts, by number, by LID and by name."""

    __slots__ = ("_by_lid", "_by_name", "_by_number", "_machines")

    def __init__(self) -> None:
        self._by_number: dict[str, Account] = {}
        self._by_lid: dict[str, Account] = {}
        self._by_name: dict[str, Account] = {}
        self._machines: dict[str, Account] = {}

    def __iter__(self) -> Iterator[Account]:
        return iter(list(self._by_number.values()))

    def __len__(self) -> int:
        return len(self._by_number)

    def add(self, name: str, number: str | None = None) -> Account:
        """A new account with that push name; without a `number` the next invented one. Raises ValueError if taken."""
        digits = JID.phone(number).user if number else self._free_number()
        if digits in self._by_number or name in self._by_name:
            raise ValueError("there is an account with that name or number already")
        place = len(self._by_number)
        account = Account(name, digits, str(_FIRST_LID + place * _LID_STEP), raw_id=place + 1)
        self._by_number[digits] = account
        self._by_lid[account.lid_user] = account
        self._by_name[name] = account
        return account

    def add_machine(self, name: str, address: JID) -> Account:
        """A machine one can write to, by its one address; it is in no list of people."""
        machine = self._machines[address.user] = Account(name, address.user, address.user, raw_id=0)
        machine.phone = machine.lid = address
        return machine

    def renumber(self, account: Account, number: str) -> None:
        """The account moves to another number; its LID stays. Raises ValueError if taken."""
        digits = JID.phone(number).user
        if digits in self._by_number:
            raise ValueError("there is an account with that number already")
        del self._by_number[account.number]
        account.number, account.phone = digits, JID(digits, PHONE)
        for device in account.devices.values():
            device.phone = account.phone.with_device(device.number)
        self._by_number[digits] = account

    def named(self, name: str) -> Account | None:
        """The account with that push name."""
        return self._by_name.get(name)

    def account(self, jid: JID) -> Account | None:
        """Whose address that is, in either space and whatever the device."""
        if jid.is_lid:
            return self._by_lid.get(jid.user)
        if jid.server == BOT:
            return self._machines.get(jid.user)
        return self._by_number.get(jid.user) if jid.is_phone else None

    def device(self, jid: JID) -> Device | None:
        """The device with that address, in either space."""
        account = self.account(jid)
        return account.devices.get(jid.device) if account else None

    def addressed(self, jid: JID) -> Device | None:
        """The device a stanza names so; a hosted one is reached in its own domain alone, and no other there."""
        return self.device(jid) if as_named(unhosted(jid)) == jid else None

    def _free_number(self) -> str:
        number = _FIRST_NUMBER + len(self._by_number)
        while str(number) in self._by_number:
            number += 1
        return str(number)
