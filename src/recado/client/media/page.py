"""
What a page says of itself for those who name it: title, a few words, the address of a picture (Open Graph, as others
read it, then the page's own title). Pages are written by strangers: each tag is cut out by a pattern that never goes
back, and read alone by the standard library's parser. Pure; it asks nobody.
"""

from __future__ import annotations

import re
from codecs import lookup
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from itertools import islice
from urllib.parse import urljoin

from recado.content.links import is_web_address

LONGEST_TITLE = 200
LONGEST_WORDS = 400
_LONGEST_ADDRESS = 2048

_TAG = re.compile(r"<(meta|title|body)\b([^<>]{0,4096})>", re.IGNORECASE)
_TITLE_TEXT = re.compile(r"[^<]{0,4096}")
_CHARSET = re.compile(rb"""charset\s{0,9}=\s{0,9}["']?([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)

_LETTERS = re.compile(
    r"iso-?8859-?\d{1,2}|latin-?1|windows-125\d|cp125\d|koi8-[ru]|gb(?:k|2312|18030)|big5|shift[_-]jis|euc-(?:jp|kr)"
)
"""What pages are written in beside UTF-8; Python knows much else by such names that is no writing."""
_MOST_TAGS = 500


@dataclass(frozen=True, slots=True)
class PageShown:
    """What is shown of a page; `picture` is where its picture is."""

    title: str = field(default="", repr=False)
    description: str = field(default="", repr=False)
    picture: str | None = field(default=None, repr=False)


def read_page(url: str, content_type: str, body: bytes) -> PageShown:
    """What the page at `url` says of itself; nothing, for what is no page."""
    if "html" not in content_type.lower():
        return PageShown()
    page = body.decode(_charset(content_type, body), "replace")
    said: dict[str, str] = {}
    for tag in islice(_TAG.finditer(page), _MOST_TAGS):
        match tag.group(1).lower():
            case "body":
                break
            case "title":
                text = _TITLE_TEXT.match(page, tag.end())
                said.setdefault("<title>", unescape(text.group()) if text else "")
            case _:
                name, content = _meta(tag.group())
                if name and content:
                    said.setdefault(name, content)
    title = _first(said, "og:title", "twitter:title", "<title>")
    words = _first(said, "og:description", "twitter:description", "description")
    picture = _first(said, "og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src")
    return PageShown(_shown(title, LONGEST_TITLE), _shown(words, LONGEST_WORDS), _address(url, picture))


class _Tag(HTMLParser):
    """The attributes of the one tag it is fed."""

    def __init__(self) -> None:
        super().__init__()
        self.said: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note them."""
        self.said = {name: value or "" for name, value in attrs}


def _meta(tag: str) -> tuple[str, str]:
    reader = _Tag()
    reader.feed(tag)
    return (reader.said.get("property") or reader.said.get("name", "")).lower(), reader.said.get("content", "")


def _first(said: dict[str, str], *names: str) -> str:
    return next((said[name] for name in names if said.get(name, "").strip()), "")


def _shown(text: str, most: int) -> str:
    """In one line of words, without what does not print, at most so long."""
    line = "".join(each if each.isprintable() else " " for each in text)
    words = " ".join(line.split())
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


def _address(url: str, picture: str) -> str | None:
    try:
        found = urljoin(url, picture.strip()) if picture.strip() else ""
    except ValueError:
        return None
    return found if found and len(found) <= _LONGEST_ADDRESS and is_web_address(found) else None


def _charset(content_type: str, body: bytes) -> str:
    found = _CHARSET.search(content_type.encode("ascii", "replace")) or _CHARSET.search(body[:2048])
    name = found.group(1).decode().lower() if found else ""
    try:
        return lookup(name).name if _LETTERS.fullmatch(name) else "utf-8"
    except LookupError:
        return "utf-8"
