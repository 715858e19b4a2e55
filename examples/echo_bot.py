"""An echo bot. Run it, scan the code, write to the linked number."""

import asyncio

from recado import Client, Paired, ShowCode, ShowQR, SQLiteStore, Text
from recado.events import MessageReceived


async def link(client: Client) -> None:
    async for step in client.pair():
        match step:
            case ShowQR(text=text):
                print("Scan this with the phone:", text)
            case ShowCode(code=code):
                print("Type this on the phone:", code)
            case Paired(account=account):
                print("Linked as", account)


async def main() -> None:
    async with Client(SQLiteStore("echo.db")) as client:
        if client.account is None:
            await link(client)

        async for message in client.listen(MessageReceived):
            match message.content:
                case Text(body) if not message.from_me:
                    await client.send(message.chat, Text(body), quoting=message)


if __name__ == "__main__":
    asyncio.run(main())
