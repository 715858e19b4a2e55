"""
What a business sells: its catalog and collections, the products it adds, changes and takes away, and an order.

    <iq xmlns="w:biz:catalog" type="get"><product_catalog jid allow_shop_source="true"><limit/><width/><height/>…
    → <product_catalog><product is_hidden?><id/><name/><description/><price/><currency/><retailer_id/><url/>
        <media><image><request_image_url/><original_image_url/></image>…</media><status_info><status/></status_info>
      </product>…<paging><after/></paging></product_catalog>
    <iq … smax_id="35"><collections biz_jid><collection_limit/><item_limit/>…  →  <collection><id/><name/><product/>…
    <iq … type="set"><product_catalog_add|product_catalog_edit v="1"><product>…  ·  <product_catalog_delete>…
    <iq xmlns="fb:thrift_iq" type="get" smax_id="5"><order op="get" id><image_dimensions/><token/></order>
    → <order><product><id/><name/><image><url/></image><price/><currency/><quantity/></product>…<price><total/>…

A price is in thousandths of its currency: 12990 with BRL is R$ 12,99.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from recado.errors import StanzaError, UsageError
from recado.jid import JID
from recado.protocol.node import Node
from recado.protocol.queries.query import ask, raise_for_error, tell

_CATALOG = "w:biz:catalog"
_SIDE = "100"
"""The width and height asked for of small pictures."""


@dataclass(frozen=True, slots=True)
class CatalogProduct:
    """Something a business sells. `images` are the URLs of its pictures, whole; `status` is WhatsApp's review."""

    id: str
    name: str = ""
    description: str = field(default="", repr=False)
    price: int | None = None
    currency: str | None = None
    retailer_id: str = ""
    url: str = field(default="", repr=False)
    images: tuple[str, ...] = field(default=(), repr=False)
    status: str = ""
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class ProductDraft:
    """
    What a product is to be; None leaves it as it is, or out. `images` are URLs on WhatsApp's servers. `made_in` is a
    country's code, "" for what needs none.
    """

    name: str | None = None
    description: str | None = field(default=None, repr=False)
    price: int | None = None
    currency: str | None = None
    retailer_id: str | None = None
    url: str | None = field(default=None, repr=False)
    images: tuple[str, ...] = field(default=(), repr=False)
    made_in: str | None = None
    is_hidden: bool | None = None

    def build(self, id: str | None = None) -> Node:
        """The product, as it goes to the server."""
        attrs: dict[str, str] = {}
        said = {"id": id, "name": self.name, "description": self.description, "retailer_id": self.retailer_id}
        content = [_said(tag, value) for tag, value in said.items() if value is not None]
        if self.url is not None:
            content.append(_said("url", self.url))
        if self.images:
            content.append(Node("media", None, [Node("image", None, [_said("url", each)]) for each in self.images]))
        if self.price is not None:
            content.append(_said("price", str(self.price)))
        if self.currency is not None:
            content.append(_said("currency", self.currency))
        if self.made_in:
            content.append(Node("compliance_info", None, [_said("country_code_origin", self.made_in)]))
        elif self.made_in is not None:
            attrs["compliance_category"] = "COUNTRY_ORIGIN_EXEMPT"
        if self.is_hidden is not None:
            attrs["is_hidden"] = "true" if self.is_hidden else "false"
        return Node("product", attrs or None, content)


@dataclass(frozen=True, slots=True)
class CatalogPage:
    """Some of a catalog, and where the rest begins (`after`); None at its end."""

    products: tuple[CatalogProduct, ...]
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """Products a business shows together."""

    id: str
    name: str
    products: tuple[CatalogProduct, ...]
    status: str = ""


@dataclass(frozen=True, slots=True)
class OrderedProduct:
    """One line of an order."""

    id: str
    name: str
    price: int | None
    currency: str | None
    quantity: int
    image: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class OrderDetails:
    """What somebody ordered, and what it comes to (in thousandths)."""

    products: tuple[OrderedProduct, ...]
    total: int
    currency: str


@dataclass(frozen=True, slots=True)
class AskCatalog:
    """A page of a business's catalog."""

    jid: JID
    limit: int = 10
    after: str | None = None

    def build(self) -> Node:
        """The question."""
        wanted = [_said("limit", str(self.limit)), *_sides()]
        if self.after is not None:
            wanted.append(_said("after", self.after))
        asked = {"jid": str(self.jid.bare), "allow_shop_source": "true"}
        return ask(_CATALOG, Node("product_catalog", asked, wanted))

    def parse(self, answer: Node) -> CatalogPage:
        """The page. Raises QueryError, StanzaError."""
        raise_for_error(answer)
        catalog = _wanted(answer, "product_catalog")
        products = tuple(read_product(product) for product in catalog.all("product"))
        return CatalogPage(products, _text(catalog, "paging", "after") or None)


@dataclass(frozen=True, slots=True)
class AskCollections:
    """A business's collections, with up to `limit` products each."""

    jid: JID
    limit: int = 51

    def build(self) -> Node:
        """The question."""
        limits = [_said("collection_limit", str(self.limit)), _said("item_limit", str(self.limit)), *_sides()]
        node = ask(_CATALOG, Node("collections", {"biz_jid": str(self.jid.bare)}, limits))
        node.attrs["smax_id"] = "35"
        return node

    def parse(self, answer: Node) -> tuple[Collection, ...]:
        """The collections. Raises QueryError, StanzaError."""
        raise_for_error(answer)
        return tuple(
            Collection(
                _text(each, "id"),
                _text(each, "name"),
                tuple(read_product(product) for product in each.all("product")),
                _text(each, "status_info", "status"),
            )
            for each in _wanted(answer, "collections").all("collection")
        )


@dataclass(frozen=True, slots=True)
class AskOrder:
    """An order that came in a message, with the token that came along."""

    id: str
    token: str = field(repr=False)

    def build(self) -> Node:
        """The question."""
        sizes = Node("image_dimensions", None, _sides())
        node = ask("fb:thrift_iq", Node("order", {"op": "get", "id": self.id}, [sizes, _said("token", self.token)]))
        node.attrs["smax_id"] = "5"
        return node

    def parse(self, answer: Node) -> OrderDetails:
        """What was ordered. Raises QueryError, StanzaError."""
        raise_for_error(answer)
        order = _wanted(answer, "order")
        lines = tuple(
            OrderedProduct(
                _text(each, "id"),
                _text(each, "name"),
                _number(each, "price"),
                _text(each, "currency") or None,
                _number(each, "quantity") or 0,
                _text(each, "image", "url"),
            )
            for each in order.all("product")
        )
        price = _wanted(order, "price")
        return OrderDetails(lines, _number(price, "total") or 0, _text(price, "currency"))


@dataclass(frozen=True, slots=True)
class PutProduct:
    """Add a product to the own catalog, or (with an `id`) change one."""

    draft: ProductDraft
    id: str | None = None

    def __post_init__(self) -> None:
        if self.id is None and not self.draft.name:
            raise UsageError("a new product has a name")
        if self.draft.price is not None and self.draft.price < 0:
            raise UsageError("a price is not below nothing")

    @property
    def _tag(self) -> str:
        return "product_catalog_add" if self.id is None else "product_catalog_edit"

    def build(self) -> Node:
        """The order."""
        return tell(_CATALOG, Node(self._tag, {"v": "1"}, [self.draft.build(self.id), *_sides()]))

    def parse(self, answer: Node) -> CatalogProduct:
        """The product as it is now. Raises QueryError, StanzaError."""
        raise_for_error(answer)
        return read_product(_wanted(_wanted(answer, self._tag), "product"))


@dataclass(frozen=True, slots=True)
class DeleteProducts:
    """Take products out of the own catalog."""

    ids: Sequence[str]

    def build(self) -> Node:
        """The order."""
        products = [Node("product", None, [_said("id", id)]) for id in self.ids]
        return tell(_CATALOG, Node("product_catalog_delete", {"v": "1"}, products))

    def parse(self, answer: Node) -> int:
        """How many are gone. Raises QueryError."""
        raise_for_error(answer)
        deleted = answer.child("product_catalog_delete")
        return 0 if deleted is None else deleted.read().opt_int("deleted_count") or 0


def read_product(node: Node) -> CatalogProduct:
    """A product as the server shows it. Raises StanzaError."""
    media = node.child("media")
    pictures = [] if media is None else list(media.all("image"))
    return CatalogProduct(
        _wanted(node, "id").text,
        name=_text(node, "name"),
        description=_text(node, "description"),
        price=_number(node, "price"),
        currency=_text(node, "currency") or None,
        retailer_id=_text(node, "retailer_id"),
        url=_text(node, "url"),
        images=tuple(_text(each, "original_image_url") or _text(each, "request_image_url") for each in pictures),
        status=_text(node, "status_info", "status"),
        is_hidden=node.attrs.get("is_hidden") == "true",
    )


def _said(tag: str, value: str) -> Node:
    return Node(tag, None, value.encode())


def _sides() -> list[Node]:
    return [_said("width", _SIDE), _said("height", _SIDE)]


def _wanted(node: Node, tag: str) -> Node:
    child = node.child(tag)
    if child is None:
        raise StanzaError(node.tag, [f"<{tag}>"])
    return child


def _text(node: Node, *path: str) -> str:
    child = node.child(*path)
    return "" if child is None else child.text


def _number(node: Node, tag: str) -> int | None:
    said = _text(node, tag)
    if said and not said.isdigit():
        raise StanzaError(node.tag, [f"<{tag}>"])
    return int(said) if said else None
