"""Businesses, at the client: what one tells of itself, its cover, its catalog and its orders."""

from __future__ import annotations

import pytest

from recado.emulator.whatsapp.profile import Profile
from recado.errors import QueryError, UsageError
from recado.protocol.queries.business import OpeningHours
from recado.protocol.queries.catalog import ProductDraft

JPEG = b"\xff\xd8\xff\xe0 not much of a picture"
LESSON = ProductDraft(name="A lesson", description="One hour", price=129_900, currency="BRL", made_in="")


@pytest.fixture
def shop(ana):
    ana.person.become_business("Ana Teaches")
    return ana.account.profile.shop


async def test_a_business_says_something_else_of_itself_and_only_that(desk, shop) -> None:
    hours = [OpeningHours("mon", "specific_hours", 540, 1080), OpeningHours("sat", "appointment_only")]
    async with desk.connected() as client:
        await client.business.edit(description="We teach", websites=["https://example.org"])
        await client.business.edit(email="ana@example.org", hours=hours, timezone="America/Recife")
        profile = await client.business.profile()
        assert (profile.description, profile.email) == ("We teach", "ana@example.org")
        assert (profile.websites, profile.address) == (("https://example.org",), "")
        assert (profile.hours, profile.timezone) == (tuple(hours), "America/Recife")


async def test_what_no_business_can_be_is_refused_before_it_is_asked(desk, shop) -> None:
    late = OpeningHours("mon", "specific_hours", 540, 1440)
    async with desk.connected() as client:
        for wrong in (
            {"hours": [late], "timezone": "UTC"},
            {"hours": [OpeningHours("monday", "open_24h")], "timezone": "UTC"},
            {"hours": [OpeningHours("mon", "open_24h")]},
            {"websites": ["1", "2", "3"]},
        ):
            with pytest.raises(UsageError):
                await client.business.edit(**wrong)
        for draft in (ProductDraft(price=5), ProductDraft(name="Less", price=-1)):
            with pytest.raises(UsageError):
                await client.business.add_product(draft)
        with pytest.raises(UsageError):
            await client.business.add_product(LESSON, images=[b"GIF89a"])
        assert shop.products == {}


async def test_who_is_no_business_changes_nothing_and_sells_nothing(desk, ana, bia) -> None:
    async with desk.connected() as client:
        for refused in (client.business.edit(address="Here"), client.business.add_product(LESSON)):
            with pytest.raises(QueryError) as error:
                await refused
            assert error.value.code == 403
        with pytest.raises(QueryError) as error:
            await client.business.catalog(bia.jid)
        assert error.value.code == 404


async def test_a_cover_photo_is_shown_and_taken_away(desk, shop) -> None:
    async with desk.connected() as client:
        id = await client.business.set_cover_photo(JPEG)
        assert shop.cover == id
        await client.business.remove_cover_photo(id)
        assert shop.cover == ""


async def test_products_are_added_changed_and_taken_away(desk, shop) -> None:
    async with desk.connected() as client:
        added = await client.business.add_product(LESSON, images=[JPEG])
        assert (added.name, added.price, added.currency, added.is_hidden) == ("A lesson", 129_900, "BRL", False)
        assert added.images[0].startswith("https://mmg.whatsapp.net/v/")
        changed = await client.business.edit_product(added.id, ProductDraft(price=99_900, is_hidden=True))
        assert (changed.name, changed.price, changed.is_hidden) == ("A lesson", 99_900, True)
        assert changed.images == added.images
        assert (await client.business.catalog()).products == ()  # it is hidden
        with pytest.raises(QueryError):
            await client.business.edit_product("1", ProductDraft(price=1))
        assert await client.business.delete_products([added.id, "1"]) == 1
        assert await client.business.delete_products([]) == 0
        assert shop.products == {}


async def test_a_catalog_is_read_page_by_page_and_its_collections_too(desk, bia) -> None:
    bia.person.become_business("Bia Teaches")
    sold = bia.account.profile.shop
    sold.products |= {str(number): {"name": f"Lesson {number}", "price": "1000"} for number in range(1, 8)}
    sold.collections["Short"] = ["1", "2"]
    async with desk.connected() as client:
        first = await client.business.catalog(bia.jid, limit=5)
        rest = await client.business.catalog(bia.jid, limit=5, after=first.after)
        assert [product.id for product in (*first.products, *rest.products)] == [*"1234567"]
        assert (first.after, rest.after) == ("5", None)
        assert [product.name async for product in client.business.products(bia.lid)][-1] == "Lesson 7"
        (short,) = await client.business.collections(bia.jid)
        assert (short.name, short.status, [each.id for each in short.products]) == ("Short", "APPROVED", ["1", "2"])


async def test_an_order_is_shown_to_who_has_its_token(desk, ana, bia, shop) -> None:
    shop.products |= {"1": {"name": "Lesson", "price": "1000", "currency": "BRL"}}
    id, token = bia.person.order(ana, [("1", 3)])
    async with desk.connected() as client:
        order = await client.business.order(id, token)
        assert (order.total, order.currency) == (3000, "BRL")
        assert [(line.name, line.quantity, line.price) for line in order.products] == [("Lesson", 3, 1000)]
        assert token not in repr(order)
        with pytest.raises(QueryError):
            await client.business.order(id, "another")


def test_a_shop_survives_a_snapshot(shop, ana) -> None:
    shop.products["1"] = {"name": "Lesson", "images": ["u"], "hidden": True}
    again = Profile.from_json(ana.account.profile.to_json())
    assert again.shop == shop
