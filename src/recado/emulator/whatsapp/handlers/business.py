"""
Businesses: what they tell of themselves, what they sell, and what was ordered.

    <iq xmlns="w:biz" type="get"><business_profile><profile jid=/></business_profile></iq> · set <business_profile
        mutation_type="delta">…
    <iq xmlns="w:biz:catalog" type="get"><product_catalog jid=>… | <collections biz_jid=>… · set <product_catalog_add>
        <product>… | <product_catalog_edit>… | <product_catalog_delete>…
    <iq xmlns="fb:thrift_iq" type="get"><order op="get" id=><token/></order></iq>

Only a business changes anything of itself (403), and only with leave of its token is an order shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recado.emulator.whatsapp.accounts import Account, Device
from recado.emulator.whatsapp.handlers.query import Answer, Refused
from recado.emulator.whatsapp.shop import TEXTS, Shop
from recado.jid import JID
from recado.protocol.node import Node

if TYPE_CHECKING:
    from recado.emulator.whatsapp.world import World

_PROFILE_TEXTS = ("address", "description", "email")


def on_business(world: World, device: Device, node: Node) -> Answer:
    """What a business tells of itself."""
    asked = node.child("business_profile", "profile")
    owner = _account(world, asked.attrs.get("jid", "")) if asked else None
    if owner is None or not owner.profile.business:
        raise Refused(404, "item-not-found")
    shop = owner.profile.shop
    words = {"description": f"{owner.profile.business}, at your service", **shop.texts}
    told = [_said(tag, words[tag]) for tag in _PROFILE_TEXTS if words.get(tag)]
    told += [_said("website", site) for site in shop.websites]
    told.append(Node("categories", None, [Node("category", {"id": "1"}, b"Education")]))
    hours = [Node("business_hours_config", dict(day)) for day in shop.hours]
    told.append(Node("business_hours", {"timezone": shop.timezone}, hours))
    if shop.cover:
        told.append(Node("cover_photo", {"id": shop.cover}))
    return Answer([Node("business_profile", {"v": "244"}, [Node("profile", {"jid": str(owner.lid)}, told)])])


def on_business_set(world: World, device: Device, node: Node) -> Answer:
    """A business says something else of itself."""
    shop, changes = _own_shop(device), node.child("business_profile")
    if changes is None or changes.attrs.get("mutation_type") != "delta":
        raise Refused(400, "bad-request")
    for tag in _PROFILE_TEXTS:
        said = changes.child(tag)
        if said is not None:
            shop.texts[tag] = said.text
    websites = [site.text for site in changes.all("website")]
    if websites:
        shop.websites = websites
    hours = changes.child("business_hours")
    if hours is not None:
        shop.timezone = hours.attrs.get("timezone", "")
        shop.hours = [{name: str(value) for name, value in day.attrs.items()} for day in hours.children]
    cover = changes.child("cover_photo")
    if cover is not None:
        _set_cover(shop, cover)
    return Answer()


def _set_cover(shop: Shop, cover: Node) -> None:
    id = cover.attrs.get("id", "")
    if cover.attrs.get("op") == "delete":
        if shop.cover != id:
            raise Refused(404, "item-not-found")
        shop.cover = ""
    elif cover.attrs.get("token") and cover.attrs.get("ts"):
        shop.cover = id
    else:
        raise Refused(400, "bad-request")


def on_catalog(world: World, device: Device, node: Node) -> Answer:
    """A page of a catalog, or the collections."""
    asked = node.child("product_catalog")
    if asked is not None:
        return Answer([_page(_shop_of(world, asked.attrs.get("jid", "")), asked)])
    asked = node.child("collections")
    if asked is None:
        raise Refused(400, "bad-request")
    shop = _shop_of(world, asked.attrs.get("biz_jid", ""))
    limit = _number(asked, "item_limit", 51)
    listed = []
    for name, ids in shop.collections.items():
        products = [_product(id, shop.products[id]) for id in ids if id in shop.products][:limit]
        verdict = Node("status_info", None, [_said("status", "APPROVED"), _said("can_appeal", "false")])
        listed.append(Node("collection", None, [_said("id", name.lower()), _said("name", name), verdict, *products]))
    return Answer([Node("collections", None, listed)])


def _page(shop: Shop, asked: Node) -> Node:
    ids = [id for id, product in shop.products.items() if not product.get("hidden")]
    after, limit = asked.child("after"), max(1, _number(asked, "limit", 10))
    start = ids.index(after.text) + 1 if after is not None and after.text in ids else 0
    shown = ids[start : start + limit]
    children = [_product(id, shop.products[id]) for id in shown]
    if start + limit < len(ids):
        children.append(Node("paging", None, [_said("after", shown[-1])]))
    return Node("product_catalog", None, children)


def on_catalog_set(world: World, device: Device, node: Node) -> Answer:
    """A business adds, changes or takes away what it sells."""
    shop = _own_shop(device)
    added, edited, deleted = (node.child(f"product_catalog_{what}") for what in ("add", "edit", "delete"))
    if added is not None:
        id = str(int.from_bytes(world.entropy(6), "big"))
        shop.products[id] = {}
        return _changed(shop, id, added)
    if edited is not None:
        id = _text(edited, "product", "id")
        if id not in shop.products:
            raise Refused(404, "item-not-found")
        return _changed(shop, id, edited)
    if deleted is None:
        raise Refused(400, "bad-request")
    ids = [_text(product, "id") for product in deleted.all("product")]
    gone = [id for id in ids if shop.products.pop(id, None) is not None]
    return Answer([Node("product_catalog_delete", {"deleted_count": str(len(gone))})])


def _changed(shop: Shop, id: str, order: Node) -> Answer:
    said, product = order.child("product"), shop.products[id]
    if said is None or not (_text(said, "name") or product.get("name")):
        shop.products = {each: kept for each, kept in shop.products.items() if kept}
        raise Refused(400, "bad-request")
    product |= {tag: _text(said, tag) for tag in TEXTS if said.child(tag) is not None}
    media = said.child("media")
    if media is not None:
        product["images"] = [_text(image, "url") for image in media.all("image")]
    origin = _text(said, "compliance_info", "country_code_origin")
    if origin:
        product["origin"] = origin
    if "is_hidden" in said.attrs:
        product["hidden"] = said.attrs["is_hidden"] == "true"
    return Answer([Node(order.tag, None, [_product(id, product)])])


def on_order(world: World, device: Device, node: Node) -> Answer:
    """What was ordered, for who has the order's token."""
    asked = node.child("order")
    token = _text(asked, "token") if asked is not None else ""
    for account in world.directory:
        shop = account.profile.shop
        order = shop.orders.get(asked.attrs.get("id", "")) if asked is not None else None
        if order is not None and token and order["token"] == token:
            return Answer([_order(shop, order)])
    raise Refused(404, "item-not-found")


def _order(shop: Shop, order: dict[str, Any]) -> Node:
    lines = []
    for id, count in order["lines"]:
        product = shop.products.get(id, {})
        picture = Node("image", None, [_said("url", next(iter(product.get("images", ())), ""))])
        texts = [_said(tag, product.get(tag, "")) for tag in ("name", "price", "currency")]
        lines.append(Node("product", None, [_said("id", id), picture, *texts, _said("quantity", str(count))]))
    currency = next((shop.products[id].get("currency", "") for id, _ in order["lines"] if id in shop.products), "")
    price = Node("price", None, [_said("total", str(shop.total(order))), _said("currency", currency)])
    return Node("order", {"creation_ts": str(order.get("at", 0))}, [*lines, price])


def _product(id: str, product: dict[str, Any]) -> Node:
    texts = [_said(tag, product[tag]) for tag in TEXTS if product.get(tag)]
    urls = [[_said("request_image_url", url), _said("original_image_url", url)] for url in product.get("images", ())]
    media = Node("media", None, [Node("image", None, each) for each in urls])
    verdict = Node("status_info", None, [_said("status", "APPROVED")])
    attrs = {"is_hidden": "true" if product.get("hidden") else "false"}
    return Node("product", attrs, [_said("id", id), *texts, media, verdict])


def _own_shop(device: Device) -> Shop:
    if not device.account.profile.business:
        raise Refused(403, "forbidden")
    return device.account.profile.shop


def _shop_of(world: World, jid: str) -> Shop:
    owner = _account(world, jid)
    if owner is None or not owner.profile.business:
        raise Refused(404, "item-not-found")
    return owner.profile.shop


def _account(world: World, text: str) -> Account | None:
    try:
        return world.directory.account(JID.parse(text))
    except ValueError:
        return None


def _said(tag: str, value: str) -> Node:
    return Node(tag, None, value.encode())


def _text(node: Node, *path: str) -> str:
    child = node.child(*path)
    return "" if child is None else child.text


def _number(node: Node, tag: str, otherwise: int) -> int:
    said = _text(node, tag)
    return int(said) if said.isdigit() else otherwise
