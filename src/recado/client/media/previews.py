"""
`client.previews`: what a text shows of the page it names. Made from the page itself, or from what the caller knows of
it. Asking pages is the caller's: only they know which addresses may be asked from where they are. A page that keeps
still, is none or says nothing costs the preview and no more than the time that was given it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from recado.client.media.page import read_page
from recado.client.media.probing import shrunk
from recado.content import LinkPreview
from recado.errors import ConnectionLost, LoggedOut, MediaError, NotConnected, NotPaired, QueryError

if TYPE_CHECKING:
    from recado.client.media.files import Files

MOST_PAGE = 512 * 1024
"""So much of a page is read: what it says of itself stands at its head."""
MOST_PICTURE = 5 * 1024 * 1024
SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Page:
    """What came from an address: where it came from in the end, what it is, and its bytes, `is_cut` at the limit."""

    url: str = field(repr=False)
    content_type: str
    body: bytes = field(repr=False)
    is_cut: bool = False


Fetch = Callable[[str, int], Awaitable[Page | None]]
"""Asks an address for at most so many bytes; None when it does not give them."""


class Previews:
    """Previews of links, for texts."""

    def __init__(self, files: Files) -> None:
        self._files = files

    async def make(self, url: str, fetch: Fetch, *, seconds: float = SECONDS) -> LinkPreview | None:
        """
        What the page says of itself, with its picture on WhatsApp's servers, for `Text.preview`; `url` as it stands in
        the text. What is not there after `seconds` is left out; None when nothing is. Raises what `fetch` raises.
        """
        made: LinkPreview | None = None
        try:
            async with asyncio.timeout(seconds):
                page = await fetch(url, MOST_PAGE)
                if page is None:
                    return None
                shown = await asyncio.to_thread(read_page, page.url, page.content_type, page.body)
                if not shown.title:
                    return None
                made = LinkPreview(url, shown.title, shown.description)
                picture = await fetch(shown.picture, MOST_PICTURE) if shown.picture is not None else None
                if picture is not None and not picture.is_cut:
                    made = await self.illustrated(made, picture.body)
        except TimeoutError:
            pass
        return made

    async def illustrated(self, preview: LinkPreview, picture: bytes) -> LinkPreview:
        """
        The preview with a picture, large and small. As it was when the bytes are no picture; with the small one only
        when the large one cannot be uploaded.
        """
        drawn = await asyncio.to_thread(shrunk, picture)
        if drawn is None:
            return preview
        small = replace(preview, thumbnail=drawn.small)
        try:
            remote = await self._files.upload_picture(drawn.large)
        except (MediaError, NotPaired, NotConnected, ConnectionLost, LoggedOut, QueryError):
            return small
        return replace(small, picture=remote, width=drawn.width, height=drawn.height)
