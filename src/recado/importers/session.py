"""
What is taken over from another library, whatever its form: who the device is, and what it agreed on with others. One
transaction writes it, so that a store has all of it or nothing.

Not taken over: our own keys in groups (a new one is made and given out at the next message), where the app state stands
(it is fetched anew with the keys that are taken over), and what the other program kept of chats.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from recado.errors import UsageError
from recado.jid import HOSTED, HOSTED_LID, JID, LID, PHONE
from recado.protocol.crypto.curve import KEY_SIZE, KeyPair
from recado.protocol.signal.keys import OneTimePreKey
from recado.protocol.signal.record import SessionRecord
from recado.protocol.signal.sender_key import SenderKeyRecord
from recado.store.appstate import SharedKey
from recado.store.people import Tokens
from recado.store.records import Credentials
from recado.store.store import Store
from recado.store.transaction import Transaction

_SPACES = {0: PHONE, 1: LID, 128: HOSTED, 129: HOSTED_LID}
"""The address spaces, by the number that Signal addresses carry behind the user."""


class ImportRefused(UsageError):
    """What is there cannot be taken over."""


@dataclass(slots=True)
class ImportedSession:
    """A linked device of another library, read. `left_out` counts by kind what was there and could not be read."""

    credentials: Credentials = field(repr=False)
    account_key: bytes = field(repr=False)
    sessions: dict[JID, SessionRecord] = field(default_factory=dict, repr=False)
    prekeys: list[OneTimePreKey] = field(default_factory=list, repr=False)
    lids: list[tuple[JID, JID]] = field(default_factory=list, repr=False)
    sender_keys: dict[tuple[JID, JID], SenderKeyRecord] = field(default_factory=dict, repr=False)
    app_state_keys: list[SharedKey] = field(default_factory=list, repr=False)
    tokens: dict[JID, Tokens] = field(default_factory=dict, repr=False)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def account(self) -> JID:
        """Whose device this is, without the device."""
        if self.credentials.account is None:
            raise AssertionError("only a linked device is taken over")
        return self.credentials.account.bare

    def summary(self) -> dict[str, int]:
        """How many of each kind there are, in words for a person."""
        return {
            "sessions": len(self.sessions),
            "one-time keys": len(self.prekeys),
            "LIDs": len(self.lids),
            "group keys": len(self.sender_keys),
            "app state keys": len(self.app_state_keys),
            "privacy tokens": len(self.tokens),
            **{f"{kind} left out": count for kind, count in sorted(self.left_out.items())},
        }


async def take_over(store: Store, imported: ImportedSession) -> None:
    """
    Write the session into an open store, in one transaction. Raises ImportRefused when there is an account in it
    already.
    """
    async with store.transaction() as tx:
        known = await tx.credentials()
        if known is not None and known.account is not None:
            raise ImportRefused("this store is linked already; forget it first")
        await _write(tx, imported)


async def _write(tx: Transaction, imported: ImportedSession) -> None:
    credentials = imported.credentials
    await tx.save_credentials(credentials)
    pairs = list(imported.lids)
    if credentials.account is not None and credentials.lid is not None:
        pairs.append((credentials.account.bare, credentials.lid.bare))
    await tx.learn_lids(pairs)
    await tx.save_identity(imported.account, imported.account_key)
    # Under the LID first: what is still kept under a number as well is the older of the two.
    written: set[JID] = set()
    for peer in sorted(imported.sessions, key=lambda jid: (not jid.is_lid, jid)):
        address = await tx.canonical(peer)
        if address not in written:
            written.add(address)
            await tx.save_session(address, imported.sessions[peer])
            await tx.save_identity(address, imported.sessions[peer].remote_identity)
    await tx.save_prekeys(imported.prekeys)
    for (group, author), record in imported.sender_keys.items():
        await tx.groups.save_sender_key(group, author, record)
    for key in imported.app_state_keys:
        tx.app_state.save_key(key)
    for person, tokens in imported.tokens.items():
        await tx.people.save_tokens(person, tokens)


def signal_address(user: str, device: str) -> JID:
    """The device that `user[_space]` and a number name. Raises ValueError."""
    name, mark, space = user.partition("_")
    if mark and int(space) not in _SPACES:
        raise ValueError("an address space nobody knows")
    return JID(name, _SPACES[int(space)] if mark else PHONE, int(device))


def public_key(key: bytes) -> bytes:
    """A public key without the type byte some libraries keep. Raises ValueError."""
    if len(key) == KEY_SIZE + 1 and key[0] == 5:
        return key[1:]
    if len(key) != KEY_SIZE:
        raise ValueError("a public key has 32 bytes")
    return key


def key_pair(private: bytes, public: bytes | None = None) -> KeyPair:
    """A key pair. Raises ValueError when the public key is another's."""
    pair = KeyPair.from_private(private)
    if public is not None and public_key(public) != pair.public:
        raise ValueError("a public key is not that of its private key")
    return pair
