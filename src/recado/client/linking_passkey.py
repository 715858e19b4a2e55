"""
Linking an account that demands a passkey: show what has to be signed, take the signature a person brings from their
browser, prove that we are the device whose code was scanned, and hand our keys to the phone. The new ADV secret was
committed when the server asked (handlers/linking.py); what is computed is in protocol/pairing/passkey.py.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from recado.errors import DecodeError, PairingRefused, PasskeyRefused, QueryError, QueryTimeout
from recado.events import ConnectionState
from recado.pairing import NeedsPasskey
from recado.protocol.pairing.passkey import (
    ORIGIN,
    Assertion,
    Request,
    handoff_proof,
    make_prologue,
    read_options,
    read_primary,
    seal_request,
)
from recado.protocol.queries.linking import (
    CompanionNonce,
    CompanionRef,
    PairingRequestSealed,
    PasskeyOptions,
    PasskeyPrologue,
)
from recado.protocol.stanzas.linking import PasskeyContinued

if TYPE_CHECKING:
    from recado.client.account import Account
    from recado.client.connection import Connection
    from recado.client.pairing import Pairing, PasskeyWanted
    from recado.protocol.pairing.passkey import Prologue

LASTS = timedelta(minutes=5)
"""How long the proof of the scanned code is good, and so the wait for a signature."""


async def sign_and_ask(account: Account, pairing: Pairing, connection: Connection, wanted: PasskeyWanted) -> None:
    """
    From the server's demand to the phone's proof. Raises PairingExpired, PasskeyRefused, PairingRefused, QueryTimeout,
    ConnectionLost.
    """
    from recado.client.pairing import Accepted

    until = account.now() + LASTS
    try:
        told = wanted.options
        if told is None:
            told = await connection.requests.ask(PasskeyOptions())
        options = read_options(told)
        pairing.show(NeedsPasskey(ORIGIN, options, until), ConnectionState.PASSKEY)
        prologue: Prologue | None = None
        while True:
            news = await pairing.next(until)
            match news:
                case Accepted():
                    return
                case Assertion() if prologue is None:
                    prologue = await _begin(account, connection, news, wanted.handoff)
                case PasskeyContinued(primary=primary) if prologue is not None:
                    await _hand_over(account, connection, prologue, primary)
                case _:
                    pass  # nothing that is waited for here
    except QueryTimeout:
        raise
    except QueryError as error:
        raise PasskeyRefused(error.code) from error
    except DecodeError as error:
        raise PairingRefused("the passkey exchange is malformed") from error


async def _begin(account: Account, connection: Connection, assertion: Assertion, handoff: bytes) -> Prologue:
    account.status.become(ConnectionState.CONNECTING)
    ref = await connection.requests.ask(CompanionRef())
    prologue = make_prologue(ref, account.profile.type, entropy=account.entropy)
    proof = handoff_proof(handoff, prologue.payload)
    await connection.requests.ask(PasskeyPrologue(assertion, prologue.payload, proof))
    return prologue


async def _hand_over(account: Account, connection: Connection, prologue: Prologue, told: bytes) -> None:
    credentials = account.credentials
    if credentials is None:
        raise AssertionError("a device is linked with its credentials")
    primary = read_primary(told)
    await connection.requests.ask(CompanionNonce(prologue.nonce))
    request = Request(credentials.noise.public, credentials.identity.public, credentials.adv_secret)
    await connection.requests.ask(
        PairingRequestSealed(seal_request(prologue, primary, request, entropy=account.entropy))
    )
