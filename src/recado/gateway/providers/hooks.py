"""
Where a provider calls us: an address that ends in a secret of the mentorado's own, which says for whom it is before
anything of the call is read. Kept as a hash to be found by, and sealed so that its owner can be shown it again.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from uuid import UUID

from recado.gateway.db.queries import load_queries
from recado.gateway.db.unit import Unit
from recado.gateway.db.vault import Vault
from recado.gateway.security import hash_token

_queries = load_queries(__file__, "hooks.sql")


async def make_hook(unit: Unit, vault: Vault, provider: str) -> str:
    """A new secret, in place of any before."""
    keys, hook = await vault.keys(unit), secrets.token_urlsafe(32)
    sealed = keys.seal(_name(provider), hook.encode())
    await unit.run(_queries.save_hook, provider=provider, hash=hash_token(hook), value=sealed, key_id=keys.current)
    return hook


async def show_hook(unit: Unit, vault: Vault, provider: str) -> str | None:
    """The secret again, if there is one. Raises BadRecord."""
    sealed = await unit.value(_queries.show_hook, provider=provider)
    if sealed is None:
        return None
    return (await vault.open(unit, [(_name(provider), sealed)]))[0].decode()


async def delete_hook(unit: Unit, provider: str) -> None:
    """The address stops working."""
    await unit.run(_queries.delete_hook, provider=provider)


async def find_hook(unit: Unit, provider: str, hook: str) -> UUID | None:
    """For whom a call to this address is; `unit` is of nobody yet (Principal.worker())."""
    found: UUID | None = await unit.value(_queries.find_hook, provider=provider, hash=hash_token(hook))
    return found


async def find_shared_accounts(unit: Unit, provider: str, accounts: Sequence[str]) -> dict[str, UUID]:
    """
    Of the accounts a call to the operator's own address tells of, those that somebody here shares it for and has proven
    to be theirs; `unit` is of nobody.
    """
    rows = await unit.tuples(_queries.find_shared_accounts, provider=provider, accounts=list(accounts))
    return dict(rows)


def _name(provider: str) -> str:
    return f"hook {provider}"
