"""Linking an account, driven by hand: each step as JSON, as a web page would show it."""

import asyncio
import json
from typing import assert_never

from recado import Client, MemoryStore, NeedsPasskey, Paired, ShowCode, ShowQR
from recado.errors import PairingExpired
from recado.pairing import AnotherNumber, PairingStep


def describe(step: PairingStep) -> dict[str, object]:
    match step:
        case ShowQR(text=text, expires_at=at):
            return {"step": "qr", "text": text, "expires_at": at.isoformat()}
        case ShowCode(code=code, expires_at=at):
            return {"step": "code", "code": code, "expires_at": at.isoformat()}
        case NeedsPasskey(url=url):
            return {"step": "passkey", "url": url}
        case AnotherNumber():  # only with `expect`, which is not given here
            return {"step": "another_number"}
        case Paired(account=account):
            return {"step": "paired", "account": str(account)}
        case _:
            assert_never(step)  # a new step will not type-check until it is handled


async def main() -> None:
    async with Client(MemoryStore()) as client:
        try:
            async for step in client.pair():
                print(json.dumps(describe(step)))
        except PairingExpired:
            print(json.dumps({"step": "expired"}))


if __name__ == "__main__":
    asyncio.run(main())
