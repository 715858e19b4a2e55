"""An account that demands a passkey: what is asked, what is signed elsewhere, what is refused."""

from __future__ import annotations

import json

import pytest

from recado.clock import settle
from recado.emulator.whatsapp import passkeys
from recado.emulator.whatsapp.passkeys import Authenticator
from recado.errors import DecodeError, PairingExpired, PasskeyRefused, UsageError
from recado.events import ConnectionState
from recado.pairing import NeedsPasskey, Paired
from recado.protocol.pairing.qr import QRCode


async def asked(client, phone):
    """The steps up to the demand, and the demand."""
    steps = client.pair()
    phone.vouch((await anext(steps)).text)
    wanted = await anext(steps)
    assert isinstance(wanted, NeedsPasskey)
    return steps, wanted


async def test_a_signature_made_in_a_browser_links_the_device(desk, ana, soon):
    browser = ana.require_passkey()
    async with desk.client() as client, soon():
        steps, wanted = await asked(client, ana)
        assert client.state is ConnectionState.PASSKEY
        assert wanted.url == "https://web.whatsapp.com"
        assert json.loads(wanted.options)["rpId"] == "whatsapp.com" and wanted.options not in repr(wanted)
        client.sign_passkey(browser.sign(wanted.options))
        assert await anext(steps) == Paired(ana.jid)
        assert client.state is ConnectionState.CONNECTED


async def test_the_secret_of_the_scanned_code_is_not_used_again(desk, ana, soon):
    browser = ana.require_passkey()
    async with desk.client() as client, soon():
        steps = client.pair()
        code = QRCode.parse((await anext(steps)).text)
        ana.vouch(code.text())
        wanted = await anext(steps)
        assert (await client.store.credentials()).adv_secret != code.adv_secret
        client.sign_passkey(browser.sign(wanted.options))
        assert await anext(steps) == Paired(ana.jid)


async def test_options_that_did_not_come_are_asked_for(desk, world, ana, soon):
    browser = ana.require_passkey()
    async with desk.client() as client, soon():
        steps = client.pair()
        code = QRCode.parse((await anext(steps)).text)
        passkeys.demand(world, world.newcomers[0], ana, code.adv_secret, with_options=False)
        client.sign_passkey(browser.sign((await anext(steps)).options))
        assert await anext(steps) == Paired(ana.jid)


@pytest.mark.parametrize(
    "forge",
    [
        lambda ana, browser, options: Authenticator(ana).sign(options),
        lambda ana, browser, options: browser.sign(options, origin="https://recado.example"),
        lambda ana, browser, options: browser.sign(json.dumps({**json.loads(options), "challenge": "AAAA"})),
    ],
    ids=["another passkey", "another page", "another challenge"],
)
async def test_a_signature_the_server_does_not_take_ends_the_attempt(desk, ana, soon, forge):
    browser = ana.require_passkey()
    async with desk.client() as client, soon():
        steps, wanted = await asked(client, ana)
        client.sign_passkey(forge(ana, browser, wanted.options))
        with pytest.raises(PasskeyRefused) as caught:
            await anext(steps)
        assert caught.value.code == 403
        assert client.account is None and not ana.account.companions


async def test_a_phone_that_scanned_another_secret_refuses_the_handoff(desk, world, ana, soon):
    browser = ana.require_passkey()
    async with desk.client() as client, soon():
        steps = client.pair()
        await anext(steps)
        passkeys.demand(world, world.newcomers[0], ana, bytes(32))
        client.sign_passkey(browser.sign((await anext(steps)).options))
        with pytest.raises(PasskeyRefused):
            await anext(steps)
        assert not ana.account.companions


async def test_nobody_signs_in_time(desk, clock, ana, soon):
    ana.require_passkey()
    async with desk.client() as client, soon():
        steps, wanted = await asked(client, ana)
        assert (wanted.expires_at - clock.now()).total_seconds() == 300
        await settle()
        for _ in range(20):
            await clock.advance(15)
        with pytest.raises(PairingExpired):
            await anext(steps)


async def test_what_is_no_assertion_is_refused_at_once(desk, ana, soon):
    ana.require_passkey()
    async with desk.client() as client, soon():
        steps, _ = await asked(client, ana)
        for text in ("", "{}", '{"rawId": "AAAA", "response": {}}', '{"rawId": 7, "response": null}'):
            with pytest.raises(DecodeError):
                client.sign_passkey(text)
        await steps.aclose()


async def test_a_signature_nobody_asked_for_is_a_usage_error(desk, ana, soon):
    browser = ana.require_passkey()
    options = json.dumps({"challenge": "AAAA"})
    async with desk.client() as client, soon():
        with pytest.raises(UsageError):
            client.sign_passkey(browser.sign(options))
        steps = client.pair()
        await anext(steps)
        with pytest.raises(UsageError):
            client.sign_passkey(browser.sign(options))
        await steps.aclose()
