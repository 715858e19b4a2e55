"""Where a device wants to be woken: told to the server in the words it knows, and refused here when it cannot be."""

from __future__ import annotations

import pytest

from recado.errors import QueryError, UsageError
from recado.protocol.queries.push import ApplePush, FirebasePush, PushSettings, RegisterPush, WebPush

WEB = WebPush("https://push.example.org/one", bytes(16), b"\x04" + bytes(64))


async def test_a_place_to_be_woken_at_is_registered_and_asked_for(desk, world, ana):
    async with desk.connected() as client:
        assert await client.push.settings() == {"platform": "none"}
        await client.push.register(WEB)
        device = world.directory.account(client.account).devices[client.device.device]
        assert device.push["endpoint"] == "https://push.example.org/one" and device.push["platform"] == "web"
        assert await client.push.settings() == {"platform": "web"}
        await client.push.register(FirebasePush("a-token"))
        assert device.push == {"platform": "gcm", "id": "a-token", "num_acc": "1"}
        await client.push.register(ApplePush("apples-token", bytes(range(32)), "a-calls-token"))
        assert (device.push["platform"], device.push["voip"]) == ("apple", "a-calls-token")
        with pytest.raises(QueryError) as refused:
            await client.push.register(FirebasePush(""))
        assert refused.value.code == 400


def test_a_subscription_is_told_as_whatsapp_web_tells_it():
    (config,) = RegisterPush(WEB).build().children
    assert config.attrs == {
        "platform": "web",
        "endpoint": "https://push.example.org/one",
        "auth": "AAAAAAAAAAAAAAAAAAAAAA==",
        "p256dh": "BAAA" + "A" * 83 + "=",
    }
    assert PushSettings().build().attrs["xmlns"] == RegisterPush(WEB).build().attrs["xmlns"] == "urn:xmpp:whatsapp:push"
    assert "push.example.org" not in repr(WEB)


def test_a_place_at_apple_s_is_told_as_others_tell_it():
    attrs = ApplePush("apples-token", bytes([255] * 32)).attrs()
    assert attrs == {
        "id": "apples-token",
        "platform": "apple",
        "version": "2",
        "reg_push": "1",
        "preview": "1",
        "pkey": "_" * 42 + "8",
        "background_location": "1",
        "call": "Opening.m4r",
        "default": "note.m4r",
        "groups": "note.m4r",
        "lg": "en",
        "lc": "US",
        "nse_call": "0",
        "nse_ver": "2",
        "nse_read": "0",
        "voip_payload_type": "2",
    }
    assert "apples-token" not in repr(ApplePush("apples-token", bytes(32)))
    for token, key in (("", bytes(32)), ("apples-token", bytes(31))):
        with pytest.raises(UsageError):
            ApplePush(token, key)


@pytest.mark.parametrize(
    ("endpoint", "auth", "key"),
    [
        ("http://push.example.org", bytes(16), b"\x04" + bytes(64)),
        ("https://push.example.org", bytes(15), b"\x04" + bytes(64)),
        ("https://push.example.org", bytes(16), b"\x02" + bytes(32)),
    ],
)
def test_what_is_no_subscription_is_refused_before_it_leaves(endpoint, auth, key):
    with pytest.raises(UsageError):
        WebPush(endpoint, auth, key)
