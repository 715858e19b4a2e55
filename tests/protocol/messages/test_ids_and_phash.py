from __future__ import annotations

import base64
import hashlib
import re

from recado.jid import JID
from recado.protocol.messages.ids import new_message_id
from recado.protocol.messages.phash import participant_hash

PHONE = JID.parse("550000000001@s.whatsapp.net")


def test_an_id_looks_like_one_of_whatsapp_web() -> None:
    id = new_message_id(lambda size: bytes(range(200, 200 + size)))
    assert re.fullmatch(r"3EB0[0-9A-F]{18}", id)


def test_other_dice_give_another_id() -> None:
    assert new_message_id(lambda size: b"\1" * size) != new_message_id(lambda size: b"\2" * size)


def test_the_hash_of_devices_is_over_their_sorted_full_names() -> None:
    names = b"550000000001.0:0@s.whatsapp.net550000000001.0:7@s.whatsapp.net"
    expected = "2:" + base64.b64encode(hashlib.sha256(names).digest()[:6]).decode()
    assert participant_hash([PHONE.with_device(7), PHONE]) == expected
    assert participant_hash([PHONE, PHONE.with_device(7)]) == expected
    assert len(expected) == 10


def test_one_device_more_is_another_hash() -> None:
    assert participant_hash([PHONE]) != participant_hash([PHONE, PHONE.with_device(1)])
