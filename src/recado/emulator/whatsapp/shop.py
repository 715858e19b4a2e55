"""
What a business of the world tells of itself and sells: its words and hours, catalog, collections and orders. State
only, in JSON types, so that a snapshot keeps it as it is.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

TEXTS = ("name", "description", "price", "currency", "retailer_id", "url")
"""What is said of a product in a word each."""


@dataclass(slots=True)
class Shop:
    """One business. A product is a dict of TEXTS and `images`, `hidden`, `origin`; an order has `token` and `lines`."""

    texts: dict[str, str] = field(default_factory=dict)
    websites: list[str] = field(default_factory=list)
    timezone: str = "America/Sao_Paulo"
    hours: list[dict[str, str]] = field(default_factory=lambda: [{"day_of_week": "mon", "mode": "open_24h"}])
    cover: str = ""
    products: dict[str, dict[str, Any]] = field(default_factory=dict)
    collections: dict[str, list[str]] = field(default_factory=dict)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """For a snapshot."""
        return asdict(self)

    def total(self, order: dict[str, Any]) -> int:
        """What an order comes to."""
        return sum(
            int(self.products[id].get("price", 0)) * count for id, count in order["lines"] if id in self.products
        )
