"""
A passkey used by a real browser, on WhatsApp's own page: made and kept by the browser's authenticator, asked for by our
script as a person runs it (the console, and the extension's button), checked by the emulator, and the device is linked.
No request leaves this machine: what stands at web.whatsapp.com here is the test's.
"""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, CDPSession, Dialog, Page, Route, expect
from tests.browser.inside import Api, admin, app, clara, client, context, hire, settings, sign_in, world

from recado.emulator.whatsapp.passkeys import Passkey
from recado.emulator.whatsapp.world import World

__all__ = ["admin", "app", "clara", "client", "context", "hire", "settings", "world"]

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = (ROOT / "src/recado/gateway/web/static/recado-passkey.js").read_text()
EXTENSION = ROOT / "extras/passkey"
WHATSAPP = "https://web.whatsapp.com"
STRICT = "default-src 'none'; script-src 'self'; require-trusted-types-for 'script'"
"""A page that lets no script in but its own: ours has to run beside it all the same."""
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
_REGISTER = """(async () => {
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=+$/, "");
  const made = await navigator.credentials.create({ publicKey: {
    challenge: new Uint8Array(32), rp: { id: "whatsapp.com", name: "WhatsApp" },
    user: { id: new Uint8Array(16), name: "clara", displayName: "Clara" },
    pubKeyCredParams: [{ type: "public-key", alg: -7 }],
    authenticatorSelection: { residentKey: "required", userVerification: "required" } } });
  return { credential: text(made.rawId), key: text(made.response.getPublicKey()) };
})()"""


class Holder:
    """A person's browser with an authenticator of its own, on a page: its dialogs, and what is typed into them."""

    def __init__(self, page: Page, cdp: CDPSession) -> None:
        self.page = page
        self.to_paste = ""
        self.shown: asyncio.Queue[str] = asyncio.Queue()
        self._cdp = cdp
        page.on("dialog", self._on_dialog)

    @classmethod
    async def open(cls, context: BrowserContext, address: str = f"{WHATSAPP}/") -> Holder:
        await context.route(re.compile(r"^https://"), _stand_in)
        page = await context.new_page()
        cdp = await context.new_cdp_session(page)
        await cdp.send("WebAuthn.enable")
        await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        await page.goto(address)
        return cls(page, cdp)

    async def console(self, words: str) -> Any:
        """What the browser's console does with these words."""
        asked = {"expression": words, "awaitPromise": True, "returnByValue": True, "userGesture": False}
        told = await self._cdp.send("Runtime.evaluate", asked)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    async def register(self) -> Passkey:
        """Have the browser make a passkey for WhatsApp, as its holder did once."""
        await self.page.bring_to_front()  # a page nobody looks at may not
        made = await self.console(_REGISTER)
        return Passkey.read(made["credential"], made["key"])

    async def run(self, script: str, asked: str) -> str:
        """Paste the script into the console, and into its dialog what the card gave; what it shows in the end."""
        self.to_paste = asked
        await self.console(script)
        return await asyncio.wait_for(self.shown.get(), 30)

    async def _on_dialog(self, dialog: Dialog) -> None:
        if dialog.type == "prompt" and not dialog.default_value:
            await dialog.accept(self.to_paste)
            return
        self.shown.put_nowait(dialog.default_value or dialog.message)
        await dialog.accept()


async def _stand_in(route: Route) -> None:
    body = "<!doctype html><title>WhatsApp</title>"
    await route.fulfill(content_type="text/html", headers={"content-security-policy": STRICT}, body=body)


async def _ask(clara: Api, events: Any, world: World, passkey: Passkey) -> str:
    """Connect and scan: what is then to be signed."""
    phone = world.phone("Clara")
    phone.register_passkey(passkey)
    assert (await clara.post(f"{clara.root}/connections/baileys/connect")).status_code == 202
    phone.vouch((await events.until_state("qr"))["step"]["text"])
    step = (await events.until_state("passkey"))["step"]
    return str(step["text"])


async def _answer(clara: Api, answer: str) -> None:
    path = f"{clara.root}/connections/baileys/passkey"
    assert (await clara.post(path, {"assertion": json.loads(answer)})).status_code == 202


@pytest.mark.timeout(120)
async def test_a_browser_signs_on_whatsapps_page_and_the_card_takes_it(
    context: BrowserContext, clara: Api, world: World
) -> None:
    holder = await Holder.open(context)
    card = await sign_in(context, clara)
    async with clara.stream() as events:
        await _ask(clara, events, world, await holder.register())
        await card.locator("#copy").click()
        copied = await card.evaluate("navigator.clipboard.readText()")
        await holder.page.bring_to_front()
        answer = await holder.run(SCRIPT, copied)
        assert len(answer) < 2000  # a browser shows no more of a text in a dialog
        await card.bring_to_front()
        await card.locator("#assertion").fill(answer)
        await card.locator("#signed").click()
        assert (await events.until_state("connected"))["account"] == world.phone("Clara").number
        await expect(card.locator("recado-connection").get_by_role("status")).to_have_text("Connected")
    (device,) = world.phone("Clara").account.companions
    assert device.number > 0


@pytest.mark.timeout(120)
async def test_a_signature_of_another_page_of_theirs_links_nothing(
    context: BrowserContext, clara: Api, world: World
) -> None:
    holder = await Holder.open(context, "https://www.whatsapp.com/")
    async with clara.stream() as events:
        asked = await _ask(clara, events, world, await holder.register())
        assert await holder.run(SCRIPT, asked) == f"Run this on {WHATSAPP}"
        # The browser itself would sign there: the page is one of theirs. Only the server can tell.
        answer = await holder.run(SCRIPT.replace(WHATSAPP, "https://www.whatsapp.com"), asked)
        await _answer(clara, answer)
        assert (await events.until_state("failed"))["reason"] == "passkey_refused"
    assert world.phone("Clara").account.companions == []


@pytest.mark.timeout(120)
async def test_on_a_page_that_is_not_theirs_the_browser_does_not_sign(context: BrowserContext) -> None:
    holder = await Holder.open(context)
    await holder.register()
    await holder.page.goto("https://recado.example/")
    asked = json.dumps({"challenge": "AAAA", "rpId": "whatsapp.com", "userVerification": "required"})
    told = await holder.run(SCRIPT.replace(WHATSAPP, "https://recado.example"), asked)
    assert told.startswith("The passkey was not used")
