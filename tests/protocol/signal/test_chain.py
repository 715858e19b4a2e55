"""A step of a chain is two HMACs; the standard library's are the measure."""

from __future__ import annotations

import hmac

from hypothesis import given
from hypothesis import strategies as st

from recado.protocol.signal.chain import step


@given(st.binary(min_size=32, max_size=32))
def test_a_step_is_an_hmac_of_one_and_an_hmac_of_two(key: bytes) -> None:
    assert step(key) == (hmac.digest(key, b"\x01", "sha256"), hmac.digest(key, b"\x02", "sha256"))
