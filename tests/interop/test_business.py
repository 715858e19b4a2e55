"""Businesses between the unmodified Baileys and our client: each reads what the other tells of itself and sells."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.interop.test_baileys_with_recado import Peers, conversation
from tests.interop.test_people import call

from recado.emulator.whatsapp.world import World
from recado.protocol.queries.business import OpeningHours
from recado.protocol.queries.catalog import ProductDraft

JPEG = b"\xff\xd8\xff\xe0 a small picture"


@pytest.mark.capability("business profile, cover photo", "both")
@pytest.mark.capability("catalog, collections, products, orders", "both")
async def test_each_reads_what_the_other_tells_and_sells(world: World, baileys: Peers, tmp_path: Path) -> None:
    async with conversation(world, baileys) as (client, rui):
        ana, them, photo = world.phone("Ana"), world.phone("Rui"), tmp_path / "photo.jpg"
        photo.write_bytes(JPEG)
        ana.person.become_business("Ana Teaches")
        them.person.become_business("Rui Sells")

        await client.business.edit(
            description="We teach", hours=[OpeningHours("tue", "specific_hours", 540, 1080)], timezone="America/Recife"
        )
        shown = await call(rui, "getBusinessProfile", str(ana.jid))
        assert (shown["description"], shown["business_hours"]["timezone"]) == ("We teach", "America/Recife")
        assert shown["business_hours"]["business_config"][0]["open_time"] == "540"
        hours = {"timezone": "UTC", "days": [{"day": "fri", "mode": "open_24h"}]}
        await call(
            rui, "updateBussinesProfile", {"email": "r@example.org", "websites": ["https://e.org"], "hours": hours}
        )
        told = await client.business.profile(them.jid)
        assert told is not None and (told.email, told.websites) == ("r@example.org", ("https://e.org",))
        assert (told.hours, told.timezone) == ((OpeningHours("fri", "open_24h"),), "UTC")
        id = await call(rui, "updateCoverPhoto", {"url": str(photo)})
        assert them.account.profile.shop.cover == str(id)
        await call(rui, "removeCoverPhoto", str(id))
        assert them.account.profile.shop.cover == ""

        added = await client.business.add_product(
            ProductDraft(name="A lesson", price=129_900, currency="BRL", retailer_id="L1"), images=[JPEG]
        )
        (seen,) = (await call(rui, "getCatalog", {"jid": str(ana.jid)}))["products"]
        assert (seen["id"], seen["name"], seen["price"], seen["retailerId"]) == (added.id, "A lesson", 129_900, "L1")
        assert seen["imageUrls"]["original"] == added.images[0]
        ana.account.profile.shop.collections["All"] = [added.id]
        (shelf,) = (await call(rui, "getCollections", str(ana.jid)))["collections"]
        assert (shelf["name"], [each["id"] for each in shelf["products"]]) == ("All", [added.id])
        order, token = them.person.order(ana, [(added.id, 2)])
        assert (await call(rui, "getOrderDetails", order, token))["price"]["total"] == 259_800
        assert (await client.business.order(order, token)).total == 259_800

        drink = {"name": "Coffee", "price": 5000, "currency": "BRL", "images": [{"url": str(photo)}], "description": ""}
        made = await call(rui, "productCreate", {**drink, "originCountryCode": "BR"})
        await call(rui, "productUpdate", made["id"], {"name": "Hot coffee", "images": []})
        (product,) = (await client.business.catalog(them.lid)).products
        assert (product.id, product.name, product.price) == (made["id"], "Hot coffee", 5000)
        assert product.images[0].startswith("https://mmg.whatsapp.net/v/")
        assert await call(rui, "productDelete", [made["id"]]) == {"deleted": 1}
        assert (await client.business.catalog(them.lid)).products == ()
