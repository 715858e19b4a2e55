"""The bytes of a picture: from WhatsApp's own hosts, up to a size."""

from __future__ import annotations

import pytest

from recado.errors import MediaError, MediaGone, MediaTooLarge
from recado.protocol.queries.pictures import Picture

JPEG = b"\xff\xd8\xff\xe0 a face " + b"face " * 500


async def test_what_somebody_shows_is_brought_up_to_a_size(desk, bia) -> None:
    bia.person.set_picture(JPEG)
    async with desk.connected() as client:
        found = await client.people.picture(bia.lid)
        assert found is not None
        assert await client.people.fetch_picture(found) == JPEG
        with pytest.raises(MediaTooLarge):
            await client.people.fetch_picture(found, most=len(JPEG) - 1)
        gone = Picture("1", found.url.replace(found.id, "1"))
        with pytest.raises(MediaGone):
            await client.people.fetch_picture(gone)


@pytest.mark.parametrize(
    "url",
    [
        "https://recado.example/v/pictures/1.jpg",
        "http://pps.whatsapp.net/v/1.jpg",
        "https://pps.whatsapp.net.recado.example/1.jpg",
        "https://[::1]/1.jpg",
        "no address",
    ],
)
async def test_an_address_that_is_none_of_whatsapps_is_not_asked(desk, url) -> None:
    async with desk.connected() as client:
        with pytest.raises(MediaError):
            await client.people.fetch_picture(Picture("1", url))
