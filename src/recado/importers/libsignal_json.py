"""
Sessions and sender keys as libsignal for JavaScript keeps them (JSON), as our records. Told by its own output:

    session     {"_sessions": {base key: entry}, "version": "v1"}; the entry with `closed` -1 is the one in use
    chain       `counter` is that of the last key made (-1: none yet), `messageKeys` are the seeds not yet used up
    sender key  a list of states, the newest last; `iteration` is the next one, `senderMessageKeys` are seeds

A chain of the other side that is finished has no key any more: it gets one of dice, so that nothing new opens in it.

A message is tried with each session in turn, and each try steps the ratchet before it authenticates: what it was tried
with in vain stays a step off for good. Such a session is told by a chain it has in common with the one that opened it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from recado.importers.session import key_pair, public_key
from recado.protocol.signal.ratchet import MAX_CHAINS, MAX_KEPT_KEYS, Ratchet, ReceivingChain, trimmed
from recado.protocol.signal.record import MAX_ARCHIVED, Offer, SessionRecord, State
from recado.protocol.signal.sender_key import SenderKey, SenderKeyRecord

Entropy = Callable[[int], bytes]

_IN_USE = -1
_SENDING = 1
_RECEIVING = 2


def read_bytes(value: Any) -> bytes:
    """Bytes in any of the forms JavaScript leaves in JSON. Raises ValueError."""
    if isinstance(value, str):
        return base64.b64decode(value, validate=True)
    if isinstance(value, Mapping) and value.get("type") == "Buffer":
        return read_bytes(value["data"])
    if isinstance(value, Mapping) and all(str(place).isdigit() for place in value):
        return bytes(value[place] for place in sorted(value, key=int))
    if isinstance(value, list):
        return bytes(value)
    raise ValueError("not bytes")


def read_session(told: Any, *, entropy: Entropy) -> SessionRecord:
    """A record. Raises ValueError, KeyError, TypeError when it is not one, or has no session in use."""
    entries = sorted(told["_sessions"].values(), key=lambda entry: -(entry["indexInfo"].get("used") or 0))
    current = next((entry for entry in entries if entry["indexInfo"]["closed"] == _IN_USE), None)
    if current is None:
        raise ValueError("no session is in use")
    sound = _sound(entries)
    if not any(entry is current for entry in sound):
        current = sound[0]  # what is sealed in the one in use would open nowhere; in this one the other side spoke last
    record = SessionRecord(_state(current, entropy))
    older = [entry for entry in entries if entry is not current][:MAX_ARCHIVED]
    for entry in reversed(older):
        try:
            state = _state(entry, entropy)
        except (ValueError, KeyError, TypeError):
            continue  # a session that never came to be: nothing was said in it
        if state.remote_identity == record.remote_identity:
            # Put in and taken out of use again: archived as our own archive does it.
            record = record.succeeded_by(state).promoted(0, record.current)
    return record


def _sound(entries: list[Any]) -> list[Any]:
    """Of sessions, the last used first, those that no message was tried with in vain."""
    opened: set[str] = set()
    sound = []
    for entry in entries:
        theirs = {name for name, chain in entry["_chains"].items() if chain["chainType"] == _RECEIVING}
        if not theirs & opened:
            sound.append(entry)
        opened |= theirs
    return sound


def read_sender_key(told: Any) -> SenderKeyRecord:
    """A member's keys in a group. Raises ValueError, KeyError, TypeError."""
    keys = []
    for state in reversed(told):
        chain, signing = state["senderChainKey"], state["senderSigningKey"]
        kept = {int(each["iteration"]): read_bytes(each["seed"]) for each in state.get("senderMessageKeys") or ()}
        keys.append(
            SenderKey(
                id=int(state["senderKeyId"]),
                iteration=int(chain["iteration"]),
                chain=_sized(read_bytes(chain["seed"])),
                public=public_key(read_bytes(signing["public"])),
                private=None,
                kept=packed(kept),
            )
        )
    if not keys:
        raise ValueError("no key")
    return SenderKeyRecord(tuple(keys))


def packed(seeds: Mapping[int, bytes]) -> bytes:
    """Seeds of messages that are still to come, as our chains keep them."""
    newest = sorted(seeds)[-MAX_KEPT_KEYS:]
    return b"".join(place.to_bytes(4, "big") + _sized(seeds[place]) for place in newest)


def _state(entry: Any, entropy: Entropy) -> State:
    ratchet, index, pending = entry["currentRatchet"], entry["indexInfo"], entry.get("pendingPreKey")
    own = ratchet["ephemeralKeyPair"]
    pair = key_pair(read_bytes(own["privKey"]), read_bytes(own["pubKey"]))
    chains = {public_key(read_bytes(name)): chain for name, chain in entry["_chains"].items()}
    sending = chains[pair.public]
    if sending["chainType"] != _SENDING:
        raise ValueError("our chain is not one to send with")
    # JSON keeps the order chains were begun in: the newest of the other side's comes last.
    theirs = [(name, chain) for name, chain in chains.items() if chain["chainType"] == _RECEIVING]
    receiving = tuple(_receiving(name, chain, entropy) for name, chain in reversed(theirs))[:MAX_CHAINS]
    return State(
        base_key=public_key(read_bytes(index["baseKey"])),
        remote_identity=public_key(read_bytes(index["remoteIdentityKey"])),
        remote_registration_id=int(entry["registrationId"]),
        offer=None if pending is None else Offer(pending.get("preKeyId") or None, int(pending["signedKeyId"])),
        ratchet=trimmed(
            Ratchet(
                root=_sized(read_bytes(ratchet["rootKey"])),
                pair=pair,
                sending=_sized(read_bytes(sending["chainKey"]["key"])),
                sent=int(sending["chainKey"]["counter"]) + 1,
                previous=max(0, int(ratchet["previousCounter"])),
                receiving=receiving,
            ),
            MAX_KEPT_KEYS,
        ),
    )


def _receiving(name: bytes, chain: Any, entropy: Entropy) -> ReceivingChain:
    key, position = chain["chainKey"].get("key"), int(chain["chainKey"]["counter"]) + 1
    seeds = {int(place): read_bytes(seed) for place, seed in chain["messageKeys"].items()}
    return ReceivingChain(name, _sized(read_bytes(key)) if key else entropy(32), position, packed(seeds))


def _sized(key: bytes) -> bytes:
    if len(key) != 32:
        raise ValueError("a key has 32 bytes")
    return key
