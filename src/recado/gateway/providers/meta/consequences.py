"""
What follows from what Meta told, beside the facts: who stopped marketing is in the ledger, a template that is paused is
not offered, a campaign that does harm stops, and a connection Meta has closed is paused and said to be so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from recado.errors import CloseReason
from recado.events import ConnectionChanged, ConnectionState, MessageRejected
from recado.gateway.audit.repository import add_entry
from recado.gateway.campaigns import service as campaigns
from recado.gateway.connections import repository as connections
from recado.gateway.consent import repository as consents
from recado.gateway.consent.recording import changed
from recado.gateway.consent.repository import NewEntry, Said
from recado.gateway.consent.service import MARKETING
from recado.gateway.db.notify import CONNECTIONS
from recado.gateway.db.unit import Unit
from recado.gateway.providers.meta import repository
from recado.gateway.providers.meta.errors import Action, meaning_of
from recado.gateway.providers.meta.facts import addresses
from recado.gateway.providers.meta.items import AccountChanged, AccountError, Item, Preference, TemplateChanged
from recado.gateway.providers.roads import META
from recado.gateway.refusals import NotFound
from recado.gateway.runtime.recorder import record
from recado.gateway.stream.notices import Notice, ProviderAlerted, tell
from recado.jid import JID

_WISHES: dict[str, Said] = {"stop": "out", "resume": "back"}
_STOPPED = frozenset({"PAUSED", "DISABLED", "FLAGGED"})
_CLOSED = frozenset(
    {"ACCOUNT_OFFBOARDED", "ACCOUNT_DELETED", "ACCOUNT_RESTRICTION", "DISABLED_UPDATE", "PARTNER_REMOVED"}
)
"""Events of the account after which nothing goes on it."""


async def follow(
    unit: Unit, account: JID, items: Sequence[Item], rejected: Sequence[MessageRejected], *, now: datetime
) -> None:
    """Do what these ask for. Behind `record`, in its unit: the rows are there. Raises Collided."""
    notices: list[Notice] = []
    for item in items:
        match item:
            case Preference(who=who, wish=wish) if wish in _WISHES:
                notices += await _objected(unit, *addresses(who), kind=_WISHES[wish], at=min(item.at, now), now=now)
            case TemplateChanged():
                await repository.change_template(unit, item, now=now)
                if item.status in _STOPPED:
                    notices.append(_alert(now, None, f"template {(item.status or '').lower()}"))
            case AccountChanged(field=field, event=event):
                notices.append(_alert(now, None, f"{field}: {event}".rstrip(": ")))
                if event in _CLOSED:
                    await pause(unit, account, event.lower(), now=now)
            case AccountError(code=code):
                notices += await follow_code(unit, account, code, now=now)
    for fact in rejected:
        if meaning_of(fact.code).action is Action.OPT_OUT:
            notices += await _objected(unit, fact.chat, None, kind="out", at=now, now=now)
    for code in dict.fromkeys(fact.code for fact in rejected):
        notices += await follow_code(unit, account, code, now=now)
    if notices:
        await tell(unit, *notices)


async def follow_code(unit: Unit, account: JID, code: int, *, now: datetime) -> list[Notice]:
    """What a code asks for beside the message it came with; what to tell of it, late in the unit."""
    meaning = meaning_of(code)
    match meaning.action:
        case Action.STOP_CAMPAIGNS:
            await _stop_campaigns(unit, code, now)
        case Action.PAUSE | Action.SIGN_IN:
            await pause(unit, account, f"meta_{code}", now=now, is_token=meaning.action is Action.SIGN_IN)
        case _:
            return []
    return [_alert(now, code, meaning.words)]


async def pause(unit: Unit, account: JID, reason: str, *, now: datetime, is_token: bool = False) -> None:
    """Nothing goes on the connection until a person asked for it again; the credentials stay."""
    connection = await connections.find_connection(unit, META)
    if connection is None or connection.state in ("failed", "restricted", "disconnected"):
        return
    state = ConnectionState.FAILED if is_token else ConnectionState.RESTRICTED
    why = CloseReason.LOGGED_OUT if is_token else CloseReason.CLIENT
    await record(unit, META, [ConnectionChanged(account=account, at=now, state=state, reason=why)])
    await connections.save_state(unit, META, state.value, reason=reason)
    unit.tell(CONNECTIONS)


async def _stop_campaigns(unit: Unit, code: int, now: datetime) -> None:
    for campaign_id in await repository.list_running_campaigns(unit):
        await campaigns.pause(unit, campaign_id, now=now)
        await add_entry(unit, "campaign.stopped_by_provider", campaign=str(campaign_id), provider=META, code=code)


async def _objected(unit: Unit, jid: JID, alt: JID | None, *, kind: Said, at: datetime, now: datetime) -> list[Notice]:
    """A person wants marketing no more, or takes that back."""
    contact_id = None
    for address in (jid, alt):
        if address is not None and contact_id is None:
            try:
                contact_id = await consents.get_contact_by_address(unit, address)
            except NotFound:
                continue
    if contact_id is None:
        return []
    new = NewEntry(
        contact_id=contact_id, purpose=MARKETING, kind=kind, at=at, source="provider", evidence={"provider": META}
    )
    return [changed(entry, now) for entry in await consents.add_consents(unit, [new])]


def _alert(now: datetime, code: int | None, why: str) -> ProviderAlerted:
    return ProviderAlerted(at=now, provider=META, code=code, why=why)
