"""
The browser a device says it is: noted at each start, beside the one it said it was when it was linked. A linked device
that says something else from one day to the next looks stolen, so it does not connect unless an operator insists.
"""

from __future__ import annotations

from dataclasses import dataclass

from recado.errors import BadRecord
from recado.gateway.audit.repository import add_entry
from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.security import MentoradoKeys
from recado.store.keys import CREDENTIALS
from recado.store.records import Credentials

_queries = load_queries(__file__, "archive.sql")


@dataclass(frozen=True, slots=True)
class Browser:
    """What a device says it is, and whether that counts though it was linked as another."""

    says: str
    forced: bool = False


async def admit(unit: Unit, keys: MentoradoKeys, browser: Browser) -> bool:
    """
    Note what the unit's device says it is. False: it is linked, as another browser. When that is forced, it counts as
    linked as this one from now on, and the audit says so.
    """
    ((linked_as, said, sealed),) = await unit.tuples(_queries.find_browser)
    is_another = linked_as is not None and linked_as != browser.says and _is_linked(keys, sealed)
    keeps = linked_as if is_another and not browser.forced else browser.says
    if (linked_as, said) != (keeps, browser.says):
        await unit.run(_queries.save_browser, linked_as=keeps, says=browser.says)
    if is_another and browser.forced:
        await add_entry(unit, "connection.another_browser_forced", linked_as=linked_as, says=browser.says)
    return not is_another or browser.forced


def _is_linked(keys: MentoradoKeys, sealed: bytes | None) -> bool:
    """Does somebody's phone know this device? Of credentials that cannot be read somebody else speaks."""
    if sealed is None:
        return False
    try:
        return Credentials.decode(keys.open(CREDENTIALS, sealed)).account is not None
    except BadRecord:
        return False
