"""Where a device wants to be woken: told to the server in the words it knows, and refused here when it cannot be."""

from __future__ import annotations

import pytest

from recado.errors import QueryError, UsageError
from recado.protocol.queries.push import FirebasePush, PushSettings, RegisterPush, WebPush

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
