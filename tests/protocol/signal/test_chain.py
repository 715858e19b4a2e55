"""The keys of one message are made by hand for speed; the libraries' HMAC and HKDF are the measure."""

from __future__ import annotations

import hmac

from hypothesis import given
from hypothesis import strategies as st

from recado.protocol.crypto.keys import hkdf
from recado.protocol.signal.chain import authenticate, message_keys, step

keys = st.binary(min_size=32, max_size=32)


@given(keys)
def test_a_step_is_an_hmac_of_one_and_an_hmac_of_two(key: bytes) -> None:
    assert step(key) == (hmac.digest(key, b"\x01", "sha256"), hmac.digest(key, b"\x02", "sha256"))


@given(keys)
def test_the_keys_of_a_message_are_an_hkdf_of_its_seed(seed: bytes) -> None:
    assert b"".join(message_keys(seed)) == hkdf(seed, 80, info=b"WhisperMessageKeys")
    assert repr(message_keys(seed)) == "MessageKeys()"


@given(keys, st.binary(max_size=300))
def test_a_mac_is_the_first_eight_bytes_of_an_hmac(key: bytes, message: bytes) -> None:
    assert authenticate(key, message) == hmac.digest(key, message, "sha256")[:8]
