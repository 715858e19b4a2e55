"""
Linking, as stanzas come: references for codes, what the phone answers, and its proof. The credentials are committed
before our signature leaves, so a crash in between leaves either an unlinked device or a linked one that we know.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from recado import crashpoints
from recado.client.pairing import NumberHeld, PasskeyWanted
from recado.client.turn import Turn
from recado.crashpoints import CrashPoint
from recado.errors import DecodeError, PairingRefused, WrongAccount
from recado.protocol.node import Node
from recado.protocol.pairing.identity import AcceptedIdentity, accept_identity
from recado.protocol.pairing.passkey import handoff_key
from recado.protocol.stanzas.ack import ack
from recado.protocol.stanzas.linking import PasskeyAsked, SecretStale, read_linking
from recado.protocol.stanzas.pairing import PairDevice, PairSuccess, pair_error, pair_reply, pair_sign
from recado.store.records import Credentials

logger = logging.getLogger("recado.client")

REFUSED = 401
INTERNAL = 500


async def on_linking_news(turn: Turn, node: Node) -> None:
    """What the server tells a device that is not linked yet. Raises StanzaError."""
    turn.answer(ack(node))
    news, pairing, credentials = read_linking(node), turn.account.pairing, await turn.tx.credentials()
    if news is None or pairing is None or credentials is None:
        return
    match news:
        case SecretStale() if pairing.has_agreed:
            pass  # the secret is one the phone has, and is in no code: nothing to replace
        case SecretStale():
            await turn.save_credentials(credentials.with_secret(turn.account.entropy(32)))
            turn.then(lambda: pairing.hear(news))
        case PasskeyAsked(options=options):
            wanted = PasskeyWanted(options, handoff_key(credentials.adv_secret))
            await turn.save_credentials(credentials.with_secret(turn.account.entropy(32)))
            pairing.has_agreed = True
            turn.then(lambda: pairing.hear(wanted))
        case _:
            turn.then(lambda: pairing.hear(news))


async def on_request(turn: Turn, node: Node) -> None:
    """An <iq> the server began. Raises StanzaError."""
    if node.child("pair-device") is not None:
        _on_references(turn, PairDevice.parse(node))
    elif node.child("pair-success") is not None:
        await _on_success(turn, node, PairSuccess.parse(node))
    else:
        await turn.record_unknown(node, "request")


def _on_references(turn: Turn, offer: PairDevice) -> None:
    turn.answer(pair_reply(offer.id))
    pairing = turn.account.pairing
    if pairing is not None:
        turn.then(lambda: pairing.offer(offer.refs))


async def _on_success(turn: Turn, node: Node, success: PairSuccess) -> None:
    pairing, credentials = turn.account.pairing, await turn.tx.credentials()
    if pairing is None or credentials is None or credentials.account is not None:
        logger.warning("a device was linked that nobody asked to link")
        turn.answer(pair_error(success.id, INTERNAL, "internal-error"))
        return
    if not pairing.expects(success.device):
        if pairing.holds:
            turn.then(lambda: pairing.hear(NumberHeld(node, success.device)))
            return
        turn.answer(pair_error(success.id, INTERNAL, "internal-error"))
        turn.then(lambda: pairing.fail(WrongAccount()))
        return
    try:
        accepted = accept_identity(
            success.identity,
            adv_secret=credentials.adv_secret,
            identity=credentials.identity,
            entropy=turn.account.entropy,
        )
    except PairingRefused as error:
        refusal = error
        turn.answer(pair_error(success.id, REFUSED, str(error)))
        turn.then(lambda: pairing.fail(refusal))
        return
    except DecodeError:
        turn.answer(pair_error(success.id, INTERNAL, "internal-error"))
        turn.then(lambda: pairing.fail(PairingRefused("the phone's proof is malformed")))
        return
    crashpoints.reach(CrashPoint.PAIRING_BEFORE_COMMIT)
    await _link(turn, credentials, success, accepted)
    turn.answer(pair_sign(success.id, accepted.key_index, accepted.reply))
    turn.then(pairing.accept)


async def _link(turn: Turn, credentials: Credentials, success: PairSuccess, accepted: AcceptedIdentity) -> None:
    linked = replace(
        credentials,
        account=success.device,
        lid=success.lid,
        signed_identity=accepted.full,
        platform=success.platform or "",
        business_name=success.business_name,
        push_name=success.business_name or credentials.push_name,
    )
    await turn.save_credentials(linked)
    if success.lid is not None:
        await turn.tx.learn_lid(success.device.bare, success.lid.bare)
    await turn.tx.save_identity(success.device.bare, accepted.account_key)
    turn.then(lambda: crashpoints.reach(CrashPoint.PAIRING_AFTER_COMMIT))
