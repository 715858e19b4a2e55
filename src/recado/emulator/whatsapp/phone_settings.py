"""
The shared state on a phone: it made the keys and gives them to its companions, writes what a person does on it, and
reads what companions write. What it could not open it notes.

Switches to be wrong on purpose: `shares` (off: new companions get no keys), `answers` (off: nor do those that ask),
`recovers` (off: who asks for a collection in the open hears nothing).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from recado.errors import AppStateError, UsageError
from recado.events import MessageId
from recado.jid import JID
from recado.protocol.appstate import actions
from recado.protocol.appstate.actions import Action, MessageKey
from recado.protocol.appstate.collections import Collection
from recado.protocol.appstate.keys import KEY_SIZE, ExpandedKey, expand
from recado.protocol.appstate.patches import Standing, apply_patch, indexes_of, make_patch, read_patch, touched
from recado.protocol.appstate.reading import read_action
from recado.protocol.appstate.recovery import write_recovery
from recado.protocol.appstate.writing import writes_of
from recado.protocol.messages.appstate_keys import encode_key_share
from recado.protocol.messages.phone_requests import CollectionAsked, CollectionGiven, encode_phone_answer
from recado.protocol.messages.software import AppStateKey, AppStateKeyRequest
from recado.protocol.queries.appstate import CollectionAnswer, CollectionRequest, SyncCollections

if TYPE_CHECKING:
    from recado.emulator.whatsapp.phone import Phone

A = TypeVar("A", bound=Action)


class PhoneSettings:
    """The shared state of one phone; `read` is everything companions wrote, in order."""

    def __init__(self, phone: Phone) -> None:
        self.shares = True
        self.answers = True
        self.recovers = True
        self.pleas: list[Collection] = []
        self.read: list[Action] = []
        self.rejected: list[Collection] = []
        self.asked: list[AppStateKeyRequest] = []
        self.keys: dict[bytes, AppStateKey] = {}
        self._phone = phone
        self._standings: dict[Collection, Standing] = {}
        self._macs: dict[Collection, dict[bytes, bytes]] = {}

    # ---- keys

    def new_key(self) -> AppStateKey:
        """A new key; what is written from now on is sealed with it."""
        world = self._phone.world
        id = (0).to_bytes(2, "big") + (len(self.keys) + 1).to_bytes(4, "big")
        key = AppStateKey(id, world.entropy(KEY_SIZE), world.seconds() + len(self.keys))
        self.keys[id] = key
        return key

    def prepare(self) -> None:
        """Somebody links a companion: the first one finds the push name in the shared state."""
        if self._phone.is_online and not self._phone.account.app_state[Collection.CRITICAL_BLOCK].version:
            self.apply(actions.SetPushName(self._phone.name))

    def greet(self, device: JID, address: JID) -> None:
        """A companion takes up work for the first time: give it the keys."""
        if self.shares:
            self._phone.tell_device(device, address, encode_key_share(self._at_hand()))

    def share(self) -> None:
        """Give all keys to all companions, as after a new one was made."""
        for device in self._phone.account.companions:
            self._phone.tell_device(device.lid, device.phone, encode_key_share(self._at_hand()))

    def answer(self, device: JID, address: JID, request: AppStateKeyRequest) -> None:
        """A companion lacks keys."""
        self.asked.append(request)
        if self.answers:
            given = [self.keys[id] for id in request.ids if id in self.keys]
            lacking = [id for id in request.ids if id not in self.keys]
            self._phone.tell_device(device, address, encode_key_share(given, lacking))

    def recover(self, device: JID, address: JID, id: str, request: CollectionAsked) -> None:
        """A companion cannot authenticate a collection: give it in the open."""
        name = Collection.named(request.collection)
        if name is not None:
            self.pleas.append(name)
        if name is None or not self.recovers:
            return
        stored = self._phone.account.app_state[name]
        blob = write_recovery(name, stored.snapshot(), self._expanded()) if stored.version else b""
        self._phone.tell_device(device, address, encode_phone_answer(CollectionGiven(id, blob, is_compressed=True)))

    def _at_hand(self) -> list[AppStateKey]:
        if not self.keys:
            self.new_key()
        return list(self.keys.values())

    def _expanded(self) -> dict[bytes, ExpandedKey]:
        return {id: expand(id, key.data) for id, key in self.keys.items()}

    # ---- what a person does

    def archive(self, chat: JID, *, is_archived: bool = True) -> None:
        """Put a chat away, or bring it back."""
        self.apply(actions.Archive(chat, is_archived))

    def pin(self, chat: JID, *, is_pinned: bool = True) -> None:
        """Keep a chat on top, or no more."""
        self.apply(actions.PinChat(chat, is_pinned))

    def star(self, chat: JID, id: str, *, from_me: bool = False, is_starred: bool = True) -> None:
        """Put a star on a message, or take it off."""
        self.apply(actions.Star(MessageKey(chat, MessageId(id), from_me), is_starred))

    def name_contact(self, contact: JID, full_name: str, lid: JID | None = None) -> None:
        """Save somebody in the address book."""
        self.apply(actions.NameContact(contact, full_name, full_name.split(" ")[0], lid))

    def set_push_name(self, name: str) -> None:
        """Call oneself by another name."""
        self.apply(actions.SetPushName(name))

    def apply(self, *given: Action) -> None:
        """Write these, each as a patch of its own."""
        if not self._phone.is_online:
            raise UsageError("the phone is offline")
        newest = self._at_hand()[-1]
        key = expand(newest.id, newest.data)
        for action in given:
            writes = writes_of(action, at=self._phone.world.clock.now())
            name = writes[0].collection
            self.catch_up(name)
            standing, macs = self._standings.get(name, Standing()), self._macs.setdefault(name, {})
            known = {place: macs[place] for place in indexes_of(writes, key) if place in macs}
            patch, step = make_patch(name, standing, writes, key=key, known=known, entropy=self._phone.world.entropy)
            answer = self._ask(CollectionRequest(name, standing.version, patch=patch.SerializeToString()))
            if answer.error is not None:
                raise AppStateError
            self._move(name, step.standing, dict(step.macs))

    # ---- what companions do

    def catch_up(self, name: Collection) -> None:
        """Read what is new in a collection."""
        while True:
            standing = self._standings.get(name, Standing())
            answer = self._ask(CollectionRequest(name, standing.version))
            for blob in answer.patches:
                patch = read_patch(blob)
                macs = self._macs.setdefault(name, {})
                known = {place: macs[place] for place in touched(patch) if place in macs}
                try:
                    step = apply_patch(name, self._standings.get(name, Standing()), patch, self._expanded(), known)
                except AppStateError:
                    self.rejected.append(name)
                    return
                self.read += [read_action(mutation) for mutation in step.mutations]
                self._move(name, step.standing, dict(step.macs))
            if not answer.has_more:
                return

    async def expect(self, kind: type[A], **fields: object) -> A:
        """The last action of a kind that a companion wrote with these fields, waited for. Raises AssertionError."""

        def fits(action: Action) -> bool:
            return isinstance(action, kind) and all(getattr(action, name) == value for name, value in fields.items())

        def found() -> Action | None:
            return next(filter(fits, reversed(self.read)), None)

        await self._phone.world.until(lambda: found() is not None, f"{kind.__name__} was never written")
        action = found()
        assert isinstance(action, kind)
        return action

    def _move(self, name: Collection, standing: Standing, macs: dict[bytes, bytes | None]) -> None:
        self._standings[name] = standing
        kept = self._macs.setdefault(name, {})
        for place, mac in macs.items():
            kept.pop(place, None) if mac is None else kept.update({place: mac})

    def _ask(self, request: CollectionRequest) -> CollectionAnswer:
        query = SyncCollections((request,))
        node = query.build()
        node.attrs["id"] = self._phone.world.new_id()
        return query.parse(self._phone.world.ask(self._phone.device, node))[request.name]
