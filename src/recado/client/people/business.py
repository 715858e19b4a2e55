"""
`client.business`: what the own business tells of itself, and what it and others sell: catalogs, collections, orders.
Each verb waits for the server's word and raises as `Client.send` does when there is no connection, and QueryError when
the server refuses (an account that is no business may change nothing of one).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from recado.client.account import Account
from recado.client.media.public import PublicFile, address_of
from recado.errors import MediaUnavailable, UsageError
from recado.jid import JID
from recado.protocol.queries.business import BusinessProfile, BusinessProfileOf, OpeningHours
from recado.protocol.queries.business_profile import EditBusiness, SetCoverPhoto
from recado.protocol.queries.catalog import (
    AskCatalog,
    AskCollections,
    AskOrder,
    CatalogPage,
    CatalogProduct,
    Collection,
    DeleteProducts,
    OrderDetails,
    ProductDraft,
    PutProduct,
)

if TYPE_CHECKING:
    from recado.client.connection import Connection
    from recado.client.media.files import Files

_JPEG = b"\xff\xd8\xff"


class Business:
    """The business verbs of one client. Of whom a verb is not told is the own account's."""

    def __init__(self, account: Account, connected: Callable[[], Awaitable[Connection]], files: Files) -> None:
        self._account = account
        self._connected = connected
        self._files = files

    # What it tells of itself

    async def profile(self, of: JID | None = None) -> BusinessProfile | None:
        """What a business tells of itself; None for who is none."""
        connection = await self._connected()
        return await connection.requests.ask(BusinessProfileOf(of or self._account.jid))

    async def edit(
        self,
        *,
        description: str | None = None,
        address: str | None = None,
        email: str | None = None,
        websites: Sequence[str] | None = None,
        hours: Sequence[OpeningHours] | None = None,
        timezone: str | None = None,
    ) -> None:
        """Say something else of the own business; what is left out stays as it is."""
        order = EditBusiness(description, address, email, websites, hours, timezone)
        await (await self._connected()).requests.ask(order)

    async def set_cover_photo(self, jpeg: bytes) -> str:
        """Show a JPEG above the own business; its id, by which it can be removed. Raises MediaUnavailable too."""
        said = await self._files.upload_public(_checked(jpeg), PublicFile.COVER)
        id, token = said.get("fbid"), said.get("meta_hmac")
        if not id or not token:
            raise MediaUnavailable
        await (await self._connected()).requests.ask(SetCoverPhoto(id, token, said.get("ts", "")))
        return id

    async def remove_cover_photo(self, id: str) -> None:
        """Show that photo no more."""
        await (await self._connected()).requests.ask(SetCoverPhoto(id))

    # What is sold

    async def catalog(self, of: JID | None = None, *, limit: int = 10, after: str | None = None) -> CatalogPage:
        """A page of a catalog; `after` is where the page before ended."""
        return await (await self._connected()).requests.ask(AskCatalog(of or self._account.jid, limit, after))

    async def products(self, of: JID | None = None) -> AsyncIterator[CatalogProduct]:
        """All of a catalog, page by page."""
        after, seen = None, set[str]()
        while True:
            page = await self.catalog(of, limit=50, after=after)
            for product in page.products:
                yield product
            after = page.after
            if after is None or after in seen:
                return
            seen.add(after)

    async def collections(self, of: JID | None = None, *, limit: int = 51) -> tuple[Collection, ...]:
        """What is shown together."""
        return await (await self._connected()).requests.ask(AskCollections(of or self._account.jid, limit))

    async def order(self, id: str, token: str) -> OrderDetails:
        """What was ordered with a message that gave this id and token."""
        return await (await self._connected()).requests.ask(AskOrder(id, token))

    async def add_product(self, draft: ProductDraft, *, images: Sequence[bytes] = ()) -> CatalogProduct:
        """Sell something new, shown with these JPEGs. Raises MediaUnavailable too."""
        PutProduct(draft)  # what cannot be is refused before a picture leaves
        return await self._put(draft, images, None)

    async def edit_product(self, id: str, draft: ProductDraft, *, images: Sequence[bytes] = ()) -> CatalogProduct:
        """Change what is said of a product; `images` (JPEGs) replace its pictures. Raises MediaUnavailable too."""
        return await self._put(draft, images, id)

    async def delete_products(self, ids: Sequence[str]) -> int:
        """Sell them no more; how many there were."""
        if not ids:
            return 0
        return await (await self._connected()).requests.ask(DeleteProducts(tuple(ids)))

    async def _put(self, draft: ProductDraft, images: Sequence[bytes], id: str | None) -> CatalogProduct:
        pictures = [_checked(jpeg) for jpeg in images]
        for jpeg in pictures:
            said = await self._files.upload_public(jpeg, PublicFile.PRODUCT)
            draft = replace(draft, images=(*draft.images, address_of(said)))
        return await (await self._connected()).requests.ask(PutProduct(draft, id))


def _checked(jpeg: bytes) -> bytes:
    if not jpeg.startswith(_JPEG):
        raise UsageError("a picture is a JPEG")
    return jpeg
