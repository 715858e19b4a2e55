"""Both sides of X3DH arrive at the same secrets, and only they do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from recado.errors import DecodeError
from recado.protocol.crypto.curve import KeyPair
from recado.protocol.signal.agreement import PreKeyBundle, agree_as_initiator, agree_as_responder


@pytest.mark.parametrize("prekey_id", [1, None])
def test_both_sides_arrive_at_the_same_secrets(ana: Any, bia: Any, prekey_id: int | None) -> None:
    base = KeyPair.generate(ana.dice)
    ours = agree_as_initiator(ana.own.pair, base, bia.bundle(prekey_id))
    theirs = agree_as_responder(
        bia.own.pair,
        signed_prekey=bia.signed.pair,
        prekey=bia.prekeys[prekey_id].pair if prekey_id else None,
        identity=ana.own.pair.public,
        base=base.public,
    )
    assert ours == theirs
    assert len(ours.root) == len(ours.chain) == 32
    assert ours.root != ours.chain


def test_the_one_time_prekey_changes_the_secrets(ana: Any, bia: Any) -> None:
    base = KeyPair.generate(ana.dice)
    bundles = [bia.bundle(1), bia.bundle(2), bia.bundle(None)]
    assert len({agree_as_initiator(ana.own.pair, base, bundle) for bundle in bundles}) == 3


def test_a_key_of_small_order_is_refused_on_both_sides(ana: Any, bia: Any) -> None:
    base = KeyPair.generate(ana.dice)
    with pytest.raises(DecodeError):
        agree_as_initiator(ana.own.pair, base, replace(bia.bundle(), signed_prekey=bytes(32)))
    with pytest.raises(DecodeError):
        agree_as_responder(
            bia.own.pair, signed_prekey=bia.signed.pair, prekey=None, identity=bytes(32), base=base.public
        )


def test_a_bundle_is_authentic_by_its_identitys_signature(bia: Any, ana: Any) -> None:
    bundle = bia.bundle()
    assert bundle.is_authentic
    assert not replace(bundle, identity=ana.own.pair.public).is_authentic
    assert not replace(bundle, signed_prekey=ana.signed.pair.public).is_authentic


@pytest.mark.parametrize(("prekey_id", "prekey"), [(1, None), (None, bytes(32))])
def test_a_one_time_prekey_has_an_id_and_an_id_a_prekey(bia: Any, prekey_id: int | None, prekey: bytes | None) -> None:
    b = bia.bundle()
    with pytest.raises(ValueError):
        PreKeyBundle(1, b.identity, 1, b.signed_prekey, b.signature, prekey_id, prekey)


def test_secrets_do_not_show_in_a_repr(ana: Any, bia: Any) -> None:
    assert repr(agree_as_initiator(ana.own.pair, ana.own.pair, bia.bundle())) == "Secrets()"
    assert "\\x" not in repr(bia.bundle())
