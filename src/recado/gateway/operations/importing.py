"""
Taking a session of another library over into a mentorado: the account in hand, then all of it in one transaction, its
ratchets too: the other program's are the only ones there are. It must not run any more; nobody here can check that.
"""

from __future__ import annotations

from recado.gateway.audit.repository import add_entry
from recado.gateway.connections import repository as connections
from recado.gateway.connections.repository import CONNECTED
from recado.gateway.connections.service import BAILEYS
from recado.gateway.operations import repository
from recado.gateway.operations.in_hand import Operator, account_in_hand
from recado.gateway.operations.inspection import inspect
from recado.gateway.operations.restore import AnotherNumbers, NewerLinkHere
from recado.gateway.operations.restore_plan import find_credentials
from recado.gateway.providers.baileys import archive
from recado.importers import ImportedSession, take_over
from recado.store import MemoryStore, Store


async def import_session(operator: Operator, imported: ImportedSession, *, origin: str, connect: bool = True) -> None:
    """
    Have the mentorado go on with that session. What is left here of an older one is backed up first. Raises
    AnotherNumbers, NewerLinkHere when there is a link already, AccountBusy.
    """
    values = await _values(imported)
    credentials = imported.credentials
    async with account_in_hand(operator, "import") as hand:
        async with operator.unit() as unit:
            await hand.lease.check(unit)
            there = await inspect(unit, operator.vault)
            here = find_credentials(there.values)
            if there.is_sealed_by_another or (here is not None and here.account is not None):
                raise NewerLinkHere
            connection = await connections.find_connection(unit, BAILEYS)
            if connection is not None and connection.account_phone not in (None, imported.account.user):
                raise AnotherNumbers
            if not there.is_empty:
                await archive.delete_rows(unit, await repository.list_keys(unit), "before an import")
            sealed = {key: (value, None) for key, value in values.items()}
            await repository.save_rows(unit, await operator.vault.keys(unit), sealed)
            lid = credentials.lid.user if credentials.lid is not None else None
            await connections.save_account(
                unit, BAILEYS, phone=imported.account.user, lid=lid, push_name=credentials.push_name or None
            )
            await add_entry(unit, "session.imported", origin=origin, taken=imported.summary())
        hand.wanted = CONNECTED if connect else None


async def _values(imported: ImportedSession) -> dict[str, bytes]:
    """Every key of a store that took the session over."""
    backend = MemoryStore()
    store = Store(backend)
    await store.open()
    await take_over(store, imported)
    await store.close()
    return await backend.read(await backend.scan(""))
