"""
How far a sent message came, told by webhook: sent, delivered, read, played, failed, each with who it was for and, but
for failures, the conversation and its price. The status of a message only goes forward.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from recado.emulator.meta.errors import webhook_error
from recado.emulator.meta.faults import Fault
from recado.emulator.meta.inbound import contact
from recado.emulator.meta.world import Sent, SentStatus

if TYPE_CHECKING:
    from recado.emulator.meta.cloud import MetaCloud

_ORDER: tuple[SentStatus, ...] = ("accepted", "sent", "delivered", "read", "played")


class Statuses:
    """Moves messages on and tells of it."""

    def __init__(self, cloud: MetaCloud) -> None:
        self._cloud = cloud

    def advance(self, sent: Sent, status: SentStatus) -> None:
        """The message came that far; what it has passed already is not told again."""
        if sent.status == "failed" or _ORDER.index(status) <= _ORDER.index(sent.status):
            return
        sent.status = status
        parties = sent.person.addresses if sent.person else {sent.input}
        if status == "delivered" and self._cloud.faults.take(Fault.SKIP_DELIVERED, sent.number.id, *parties):
            return
        self._tell(sent, status)

    def fail(self, sent: Sent, code: int, details: str | None = None) -> None:
        """It will not arrive."""
        sent.status, sent.code = "failed", code
        self._tell(sent, "failed", [webhook_error(code, details)])

    def _tell(self, sent: Sent, status: SentStatus, errors: list[dict[str, Any]] | None = None) -> None:
        cloud, person = self._cloud, sent.person
        said: dict[str, Any] = {
            "id": sent.id,
            "status": status,
            "timestamp": str(int(cloud.clock.now().timestamp())),
        }
        if not sent.by_user_id:
            said["recipient_id"] = person.wa_id if person else sent.input
        if cloud.rules.user_ids and person is not None:
            said["recipient_user_id"] = person.user_id
        if errors:
            said["errors"] = errors
        else:
            said |= self._price(sent, status)
        if sent.opaque is not None:
            said["biz_opaque_callback_data"] = sent.opaque
        value: dict[str, Any] = {"messaging_product": "whatsapp", "metadata": sent.number.metadata}
        if cloud.rules.user_ids and person is not None and status != "failed":
            value["contacts"] = [contact(cloud, person)]
            if not sent.by_user_id:
                value["contacts"][0]["wa_id"] = person.wa_id
        value["statuses"] = [said]
        cloud.webhooks.tell(sent.number.waba, sent.number, "messages", value)

    def _price(self, sent: Sent, status: SentStatus) -> dict[str, Any]:
        """`conversation` and `pricing`."""
        is_free = sent.category == "service"
        said: dict[str, Any] = {}
        if self._cloud.rules.conversations:
            who = sent.person.user_id if sent.person else sent.input
            said["conversation"] = {
                "id": hashlib.sha256(f"{sent.number.id}|{who}|{sent.category}".encode()).hexdigest()[:32],
                "origin": {"type": sent.category},
            }
            if status == "sent":
                ends = int((sent.at + timedelta(hours=24)).timestamp())
                said["conversation"]["expiration_timestamp"] = str(ends)
        said["pricing"] = {
            "billable": not is_free,
            "pricing_model": "PMP",
            "category": sent.category,
            "type": "free_customer_service" if is_free else "regular",
        }
        return said
