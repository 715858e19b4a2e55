"""
Coexistence: a number that is used in the WhatsApp Business app as well. What the app's owner writes comes as
`smb_message_echoes`; `POST /{number}/smb_app_data` asks, once each, for the contacts (`smb_app_state_sync`) and for
the history, which comes in chunks with a phase and a progress, media as placeholders whose files follow in a webhook
of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from recado.emulator.meta import inbound
from recado.emulator.meta.errors import GraphError, malformed, webhook_error
from recado.emulator.meta.people import File, Person, Shown
from recado.emulator.meta.world import Number

if TYPE_CHECKING:
    from recado.emulator.meta.cloud import MetaCloud

Past = Literal["SENT", "DELIVERED", "READ", "PLAYED", "PENDING", "ERROR"]
SYNCS = ("history", "smb_app_state_sync")
_DECLINED = 2593109


@dataclass(frozen=True, slots=True)
class Line:
    """A message from before; with a `file` it is media."""

    person: Person
    from_me: bool
    text: str
    at: datetime
    status: Past = "READ"
    file: File | None = None
    kind: str = "text"
    id: str = ""


@dataclass(slots=True)
class App:
    """What the Business app of one number holds."""

    lines: list[Line] = field(default_factory=list)
    contacts: list[Person] = field(default_factory=list)
    shares_history: bool = True
    chunk: int = 100


class Coexistence:
    """The Business apps, by number."""

    def __init__(self, cloud: MetaCloud) -> None:
        self._cloud = cloud
        self._apps: dict[str, App] = {}

    def app(self, number: Number) -> App:
        """The app of a number, which coexists from now on."""
        number.is_coexisting = True
        return self._apps.setdefault(number.id, App())

    # ---- what the app's owner does

    def remember(
        self,
        number: Number,
        person: Person,
        text: str,
        at: datetime,
        *,
        from_me: bool = False,
        status: Past = "READ",
        file: File | None = None,
        kind: str = "text",
    ) -> Line:
        """A message from before the number came to the API."""
        id = self._cloud.ids.message(person.phone)
        line = Line(person, from_me, text, at, status, file, kind, id)
        self.app(number).lines.append(line)
        return line

    def write(self, number: Number, person: Person, text: str) -> Shown:
        """The owner writes from the app: it shows on the person's phone, and the API hears an echo."""
        self.app(number)
        now, id = self._cloud.clock.now(), self._cloud.ids.message(person.phone)
        shown = Shown(id, number, False, "text", {"body": text}, text, now)
        person.messages.append(shown)
        echo = {
            "from": number.digits,
            **self._to(person),
            "id": id,
            "timestamp": str(int(now.timestamp())),
            "type": "text",
            "text": {"body": text},
        }
        value = {**self._head(number), "contacts": [inbound.contact(self._cloud, person)], "message_echoes": [echo]}
        self._cloud.webhooks.tell(number.waba, number, "smb_message_echoes", value)
        self._cloud.changed()
        return shown

    def save_contact(self, number: Number, person: Person) -> None:
        """The owner saves a contact, or edits it."""
        app = self.app(number)
        if person not in app.contacts:
            app.contacts.append(person)
        if "smb_app_state_sync" in number.synced:
            self._tell_contacts(number, [person], "add")

    def remove_contact(self, number: Number, person: Person) -> None:
        """The owner removes a contact."""
        self.app(number).contacts.remove(person)
        if "smb_app_state_sync" in number.synced:
            self._tell_contacts(number, [person], "remove")

    def offboard(self, number: Number) -> None:
        """The owner takes the number off the API."""
        number.is_registered = False
        self._cloud.tell_account(number.waba, "ACCOUNT_OFFBOARDED")

    def reconnect(self, number: Number) -> None:
        """… and back."""
        number.is_registered = True
        self._cloud.tell_account(number.waba, "ACCOUNT_RECONNECTED")

    # ---- what the API asks

    def sync(self, number: Number, body: dict[str, Any]) -> dict[str, Any]:
        """`POST /{number}/smb_app_data`. Raises GraphError."""
        if body.get("messaging_product") != "whatsapp":
            raise malformed("The parameter messaging_product is required.")
        kind = body.get("sync_type")
        if kind not in SYNCS:
            raise malformed(f"Param sync_type must be one of {{{', '.join(SYNCS)}}}.")
        if not number.is_coexisting:
            raise GraphError(100, "The phone number is not used in the WhatsApp Business app.")
        if kind in number.synced:
            raise GraphError(100, f"A synchronization of {kind} was requested already; it can be done only once.")
        number.synced.add(kind)
        app = self.app(number)
        if kind == "history":
            self._tell_history(number, app)
        elif app.contacts:
            self._tell_contacts(number, app.contacts, "add")
        self._cloud.changed()
        return {"messaging_product": "whatsapp", "request_id": self._cloud.ids.text(24)}

    def _tell_history(self, number: Number, app: App) -> None:
        tell = self._cloud.webhooks.tell
        if not app.shares_history:
            error = {key: value for key, value in webhook_error(_DECLINED).items() if key != "href"}
            tell(number.waba, number, "history", {**self._head(number), "history": [{"errors": [error]}]})
            return
        lines = sorted(app.lines, key=lambda line: line.at, reverse=True)
        chunks = [lines[start : start + app.chunk] for start in range(0, len(lines), app.chunk)] or [[]]
        for place, chunk in enumerate(chunks, 1):
            progress = 100 * place // len(chunks)
            metadata = {"phase": self._phase(chunk), "chunk_order": place, "progress": progress}
            history = [{"metadata": metadata, "threads": self._threads(number, chunk)}]
            tell(number.waba, number, "history", {**self._head(number), "history": history})
        for line in lines:
            if line.file is not None:
                self._tell_file(number, line, line.file)

    def _phase(self, chunk: list[Line]) -> int:
        """0: of the last day; 1: of the last 90 days; 2: older."""
        if not chunk:
            return 0
        days = (self._cloud.clock.now() - chunk[-1].at).days
        return 0 if days < 1 else 1 if days < 90 else 2

    def _threads(self, number: Number, chunk: list[Line]) -> list[dict[str, Any]]:
        threads: list[dict[str, Any]] = []
        for person in dict.fromkeys(line.person for line in chunk):
            thread: dict[str, Any] = {} if person.hides_phone else {"id": person.wa_id}
            if self._cloud.rules.user_ids:
                known = inbound.contact(self._cloud, person)
                thread["context"] = {key: known[key] for key in ("wa_id", "user_id") if key in known}
            thread["messages"] = [self._message(number, line) for line in chunk if line.person is person]
            threads.append(thread)
        return threads

    def _message(self, number: Number, line: Line) -> dict[str, Any]:
        head: dict[str, Any] = (
            {"from": number.digits, **self._to(line.person)}
            if line.from_me
            else inbound.sender(self._cloud, line.person)
        )
        head |= {"id": line.id, "timestamp": str(int(line.at.timestamp()))}
        if line.file is not None:
            head["type"] = "media_placeholder"
        else:
            head |= {"type": "text", "text": {"body": line.text}}
        return {**head, "history_context": {"status": line.status}}

    def _tell_file(self, number: Number, line: Line, file: File) -> None:
        """The file behind a placeholder."""
        media = self._cloud.media.receive(number, file.data, file.mime_type)
        said = self._message(number, line)
        del said["history_context"]
        said |= {"type": line.kind, line.kind: inbound.media_content(line.kind, media, file)}
        name = "message_echoes" if line.from_me else "messages"
        value = {**self._head(number), "contacts": [inbound.contact(self._cloud, line.person)], name: [said]}
        self._cloud.webhooks.tell(number.waba, number, "history", value)

    def _tell_contacts(self, number: Number, people: list[Person], action: str) -> None:
        synced = []
        for person in people:
            contact: dict[str, Any] = {} if person.hides_phone else {"phone_number": person.wa_id}
            if action == "add":
                contact |= {"full_name": person.name, "first_name": person.name.split()[0]}
            if self._cloud.rules.user_ids:
                contact["user_id"] = person.user_id
            at = str(int(self._cloud.clock.now().timestamp()))
            synced.append({"type": "contact", "contact": contact, "action": action, "metadata": {"timestamp": at}})
        value = {**self._head(number), "state_sync": synced}
        self._cloud.webhooks.tell(number.waba, number, "smb_app_state_sync", value)

    def _to(self, person: Person) -> dict[str, str]:
        said = {} if person.hides_phone and self._cloud.rules.user_ids else {"to": person.wa_id}
        return {**said, "to_user_id": person.user_id} if self._cloud.rules.user_ids else said

    def _head(self, number: Number) -> dict[str, Any]:
        return {"messaging_product": "whatsapp", "metadata": number.metadata}
