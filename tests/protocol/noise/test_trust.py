"""The certificate chain: ours, Baileys', and every way in which one does not deserve trust."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recado.errors import HandshakeError, UntrustedServer
from recado.protocol.crypto.curve import KeyPair, sign
from recado.protocol.noise.trust import MAX_CHAIN, CertificateAuthority, verify_chain
from recado.protocol.proto.handshake_pb2 import CertChain

LINKS = json.loads((Path(__file__).parent.parent / "vectors" / "noise.json").read_text())["links"]
DAY = timedelta(days=1)


@pytest.fixture
def refused(ground: Any) -> Callable[..., str]:
    """Checks a chain that must be refused, and gives the reason."""

    def check(chain: bytes, **changes: Any) -> str:
        with pytest.raises(UntrustedServer) as caught:
            verify_chain(chain, **{"leaf_key": ground.server.public, "root": ground.root, "now": ground.now, **changes})
        reason = str(caught.value)
        assert not any(key.hex() in reason for key in (ground.server.public, ground.root))
        return reason

    return check


@pytest.fixture
def forge(ground: Any) -> Callable[..., bytes]:
    """A chain with details of our choice, honestly signed by a root of our own (see `forge.root`)."""
    root, middle = ground.pair("forger's root"), ground.pair("forger's intermediate")

    def signed(details: dict[str, Any], by: KeyPair) -> CertChain.NoiseCertificate:
        body = CertChain.NoiseCertificate.Details(**details).SerializeToString()
        return CertChain.NoiseCertificate(details=body, signature=sign(by.private, body, entropy=ground.entropy("x")))

    def chain(leaf: dict[str, Any] | None = None, intermediate: dict[str, Any] | None = None) -> bytes:
        now = int(ground.now.timestamp())
        dates = {"not_before": now - 10, "not_after": now + 10}
        middle_details = {"serial": 7, "issuer_serial": 0, "key": middle.public, **dates}
        leaf_details = {"serial": 8, "issuer_serial": 7, "key": ground.server.public, **dates}
        return CertChain(
            intermediate=signed({**middle_details, **(intermediate or {})}, root),
            leaf=signed({**leaf_details, **(leaf or {})}, middle),
        ).SerializeToString()

    chain.root = root.public  # type: ignore[attr-defined]
    return chain


def test_a_chain_of_ours_is_trusted_from_a_day_before_to_its_end(ground: Any) -> None:
    for now in (ground.now - DAY, ground.now, ground.now + 30 * DAY):
        verify_chain(ground.chain, leaf_key=ground.server.public, root=ground.root, now=now)


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link["name"])
def test_a_chain_signed_by_libsignal_is_trusted(link: dict[str, Any]) -> None:
    server = KeyPair.from_private(bytes.fromhex(link["server_static"]))
    chain, root = bytes.fromhex(link["chain"]), bytes.fromhex(link["root"])
    verify_chain(chain, leaf_key=server.public, root=root, now=datetime(2026, 6, 1, tzinfo=UTC))
    with pytest.raises(UntrustedServer, match="expired"):
        verify_chain(chain, leaf_key=server.public, root=root, now=datetime(2027, 6, 1, tzinfo=UTC))


def test_another_root_is_refused(ground: Any, refused: Callable[..., str]) -> None:
    other = CertificateAuthority.create(ground.entropy("other"), now=ground.now, valid_for=DAY)
    assert "not signed by its issuer" in refused(ground.chain, root=other.root)
    assert "not signed by its issuer" in refused(other.issue(ground.server.public, now=ground.now))


def test_a_leaf_for_another_key_is_refused(ground: Any, refused: Callable[..., str]) -> None:
    assert "another key" in refused(ground.chain, leaf_key=ground.pair("someone else").public)
    assert "another key" in refused(ground.authority.issue(ground.pair("x").public, now=ground.now))


def test_a_leaf_of_another_authority_under_the_right_intermediate_is_refused(
    ground: Any, refused: Callable[..., str]
) -> None:
    other = CertificateAuthority.create(ground.entropy("other"), now=ground.now, valid_for=DAY)
    chain, theirs = CertChain.FromString(ground.chain), other.issue(ground.server.public, now=ground.now)
    chain.leaf.CopyFrom(CertChain.FromString(theirs).leaf)
    assert "leaf certificate is not signed" in refused(chain.SerializeToString())


def test_dates_are_checked_on_both_certificates(
    ground: Any, forge: Callable[..., bytes], refused: Callable[..., str]
) -> None:
    now, root = int(ground.now.timestamp()), forge.root  # type: ignore[attr-defined]
    verify_chain(forge(), leaf_key=ground.server.public, root=root, now=ground.now)
    assert "leaf certificate has expired" in refused(forge(leaf={"not_after": now - 1}), root=root)
    assert "leaf certificate is not valid yet" in refused(forge(leaf={"not_before": now + 1}), root=root)
    assert "intermediate certificate has expired" in refused(forge(intermediate={"not_after": now - 1}), root=root)
    assert "intermediate certificate is not valid yet" in refused(
        forge(intermediate={"not_before": now + 1}), root=root
    )
    assert "not valid yet" in refused(forge(leaf={"not_before": 2**64 - 1}), root=root)


def test_a_certificate_without_dates_has_expired(forge: Callable[..., bytes], refused: Callable[..., str]) -> None:
    root = forge.root  # type: ignore[attr-defined]
    assert "expired" in refused(forge(leaf={"not_before": None, "not_after": None}), root=root)
    assert "expired" in refused(forge(intermediate={"not_before": None, "not_after": None}), root=root)


def test_the_serials_must_chain(forge: Callable[..., bytes], refused: Callable[..., str]) -> None:
    root = forge.root  # type: ignore[attr-defined]
    assert "another issuer than the root" in refused(forge(intermediate={"issuer_serial": 1}), root=root)
    assert "another issuer than the intermediate" in refused(forge(leaf={"issuer_serial": 0}), root=root)
    assert "another issuer than the intermediate" in refused(forge(leaf={"issuer_serial": 8}), root=root)
    assert "another issuer than the intermediate" in refused(forge(intermediate={"serial": 9}), root=root)


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33), b"\x05" + bytes(32)])
def test_a_key_of_another_size_is_refused(key: bytes, forge: Callable[..., bytes], refused: Callable[..., str]) -> None:
    root = forge.root  # type: ignore[attr-defined]
    assert "32 bytes" in refused(forge(intermediate={"key": key}), root=root)
    assert "another key" in refused(forge(leaf={"key": key}), root=root)


@pytest.mark.parametrize("name", ["leaf", "intermediate"])
@pytest.mark.parametrize("size", [0, 32, 63, 65])
def test_a_signature_of_another_size_is_refused(ground: Any, refused: Callable[..., str], name: str, size: int) -> None:
    chain = CertChain.FromString(ground.chain)
    certificate = getattr(chain, name)
    certificate.signature = (certificate.signature + bytes(1))[:size]
    assert f"{name} certificate's signature does not have 64 bytes" in refused(chain.SerializeToString())


@pytest.mark.parametrize("path", ["leaf", "intermediate", "leaf.details", "leaf.signature", "intermediate.details"])
def test_a_missing_part_is_refused(ground: Any, refused: Callable[..., str], path: str) -> None:
    chain = CertChain.FromString(ground.chain)
    part, _, inner = path.partition(".")
    (getattr(chain, part) if inner else chain).ClearField(inner or part)
    assert "missing or incomplete" in refused(chain.SerializeToString())


def test_signed_garbage_is_refused(ground: Any, refused: Callable[..., str]) -> None:
    root = ground.pair("careless root")
    body = b"\xff\xff"
    signature = sign(root.private, body, entropy=ground.entropy("x"))
    certificate = CertChain.NoiseCertificate(details=body, signature=signature)
    chain = CertChain(intermediate=certificate, leaf=certificate).SerializeToString()
    assert "malformed" in refused(chain, root=root.public)


def test_a_chain_cut_anywhere_is_refused(ground: Any, refused: Callable[..., str]) -> None:
    for size in range(len(ground.chain)):
        refused(ground.chain[:size])


def test_a_chain_that_is_too_large_is_refused_unread(refused: Callable[..., str], ground: Any) -> None:
    padded = ground.chain + b"\x7a" + (MAX_CHAIN).to_bytes(2, "little") + bytes(MAX_CHAIN)
    assert "too large" in refused(padded)


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_one_changed_byte_is_noticed(ground: Any, where: int, change: int) -> None:
    chain = bytearray(ground.chain)
    chain[where % len(chain)] ^= change
    with pytest.raises(UntrustedServer):
        verify_chain(bytes(chain), leaf_key=ground.server.public, root=ground.root, now=ground.now)


@given(st.binary(max_size=300))
def test_garbage_is_refused(ground: Any, garbage: bytes) -> None:
    with pytest.raises(UntrustedServer):
        verify_chain(garbage, leaf_key=ground.server.public, root=ground.root, now=ground.now)


def test_a_leaf_ends_with_its_intermediate(ground: Any) -> None:
    late = ground.now + 29 * DAY
    chain = ground.authority.issue(ground.server.public, now=late)
    verify_chain(chain, leaf_key=ground.server.public, root=ground.root, now=late + DAY)
    with pytest.raises(UntrustedServer, match="expired"):
        verify_chain(chain, leaf_key=ground.server.public, root=ground.root, now=late + 2 * DAY)


def test_an_untrusted_server_is_a_failed_handshake_and_the_authority_shows_no_key(ground: Any) -> None:
    assert issubclass(UntrustedServer, HandshakeError)
    assert "\\x" not in repr(ground.authority)
