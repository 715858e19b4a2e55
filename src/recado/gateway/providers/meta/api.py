"""
Asking Meta's Graph API over HTTP: one request, one answer, within a time, and an error for each way none comes.
What may have been taken is told apart from what surely was not. The base address is the operator's; the token goes in a
header, and neither it nor an answer's words are ever in a log or an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote

import aiohttp
import orjson

from recado.errors import MediaError, NotConnected, RecadoError, UsageError
from recado.gateway.providers.credentials import MetaCredentials
from recado.gateway.providers.meta.errors import NotGraph, read_error
from recado.gateway.providers.meta.repository import Template
from recado.gateway.providers.meta.wire import UPLOADED, Json

_LARGEST_ANSWER = 4 * 1024 * 1024
_KEPT_ALIVE = 5.0
"""Seconds an idle connection is used again: one that Meta has closed meanwhile would lose a message's answer."""
_MOST_PAGES = 20
_NUMBER = "id,display_phone_number,verified_name,quality_rating"


class Unanswered(RecadoError):
    """Meta gave no answer that says what became of the request."""


@dataclass(frozen=True, slots=True)
class NumberTold:
    """What Meta says of the phone number."""

    phone: str = field(repr=False)
    name: str | None = field(repr=False)
    quality: str | None


class GraphApi:
    """One number's routes, with its token; an async context manager."""

    def __init__(
        self,
        credentials: MetaCredentials,
        *,
        base: str,
        version: str,
        seconds: float = 30.0,
        connect_seconds: float = 5.0,
    ) -> None:
        self._number = quote(credentials.phone_number_id, safe="")
        self._waba = quote(credentials.waba_id, safe="")
        self._root = f"{base.rstrip('/')}/{credentials.graph_version or version}/"
        self._headers = {"Authorization": f"Bearer {credentials.access_token}", "Accept": "application/json"}
        self._timeout = aiohttp.ClientTimeout(total=seconds, connect=connect_seconds, sock_connect=connect_seconds)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(limit=32, keepalive_timeout=_KEPT_ALIVE),
            trust_env=False,
        )
        return self

    async def __aexit__(self, *failure: object) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    # All of these raise NotConnected when no byte left, GraphError and NotGraph for an answer that refuses, and
    # Unanswered when the request may have been taken.

    async def number(self) -> NumberTold:
        """What the number is; that it is there, and the token good for it."""
        said = await self._ask("GET", self._number, params={"fields": _NUMBER})
        phone = "".join(c for c in str(said.get("display_phone_number", "")) if c in "0123456789")
        name, quality = said.get("verified_name"), said.get("quality_rating")
        return NumberTold(phone, name if isinstance(name, str) else None, quality if isinstance(quality, str) else None)

    async def send(self, message: Json) -> Json:
        """Send a message, or tell that one was read."""
        return await self._ask("POST", f"{self._number}/messages", json=message)

    async def templates(self) -> list[Template]:
        """Every template of the business account."""
        found: list[Template] = []
        after: str | None = None
        for _ in range(_MOST_PAGES):
            params = {"limit": "250", **({"after": after} if after else {})}
            said = await self._ask("GET", f"{self._waba}/message_templates", params=params)
            rows = said.get("data")
            found += (
                [read for row in rows if (read := read_template(row)) is not None] if isinstance(rows, list) else []
            )
            paging = said.get("paging")
            after = _after(paging) if isinstance(paging, dict) and paging.get("next") else None
            if after is None:
                break
        return found

    async def upload(self, data: bytes, *, mime_type: str, file_name: str) -> str:
        """Give Meta a file; the reference by which a message names it, for 30 days."""
        form = aiohttp.FormData()
        form.add_field("messaging_product", "whatsapp")
        form.add_field("type", mime_type)
        form.add_field("file", data, filename=file_name, content_type=mime_type)
        said = await self._ask("POST", f"{self._number}/media", data=form)
        id = said.get("id")
        if not isinstance(id, str | int):
            raise Unanswered("Meta's answer names no file")
        return f"{UPLOADED}{id}"

    async def download(self, media_id: str, *, most: int) -> bytes:
        """A file somebody sent; its hash is checked. Its address lives five minutes. Raises MediaError too."""
        said = await self._ask("GET", quote(media_id, safe=""), params={"phone_number_id": self._number})
        url, wanted = said.get("url"), said.get("sha256")
        if not isinstance(url, str):
            raise MediaError("Meta's answer has no address for the file")
        async with self._request("GET", url) as response:
            if response.status != 200:
                raise MediaError(f"the file could not be fetched ({response.status})")
            data = await _read(response, most)
        if data is None:
            raise MediaError("the file is larger than is taken")
        if isinstance(wanted, str) and len(wanted) == 64 and hashlib.sha256(data).hexdigest() != wanted.lower():
            raise MediaError("the file is not the one that was sent: its hash is another")
        return data

    @asynccontextmanager
    async def open_file(self, media_id: str) -> AsyncIterator[tuple[Json, aiohttp.ClientResponse]]:
        """What Meta says of a file (its hash, its type), and the answer its bytes come in, whatever its status."""
        said = await self._ask("GET", quote(media_id, safe=""), params={"phone_number_id": self._number})
        url = said.get("url")
        if not isinstance(url, str):
            raise Unanswered("Meta's answer has no address for the file")
        async with self._request("GET", url) as response:
            yield said, response

    async def _ask(self, method: str, path: str, **options: Any) -> Json:
        async with self._request(method, self._root + path, **options) as response:
            body = await _read(response, _LARGEST_ANSWER)
            status = response.status
        try:
            said = orjson.loads(body) if body else None
        except orjson.JSONDecodeError:
            said = None
        if 200 <= status < 300 and isinstance(said, dict) and "error" not in said:
            return said
        error = read_error(status, said)
        if isinstance(error, NotGraph) and (status >= 500 or 200 <= status < 300):
            # A page of some server between us: what is behind it may have taken the request.
            raise Unanswered(str(error))
        raise error

    @asynccontextmanager
    async def _request(self, method: str, url: str, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            raise UsageError("this connection is not open")
        try:
            async with self._session.request(method, url, allow_redirects=False, **options) as response:
                yield response
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise NotConnected("Meta cannot be reached") from None
        except TimeoutError:
            raise Unanswered("Meta gave no answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise Unanswered("the connection to Meta broke") from None


def read_template(said: Any) -> Template | None:
    """A template of a list, if it is one."""
    if not isinstance(said, dict):
        return None
    words = {name: said[name] for name in ("name", "language", "status") if isinstance(said.get(name), str)}
    if len(words) < 3:
        return None
    quality = said.get("quality_score")
    quality = quality.get("score") if isinstance(quality, dict) else None
    parts = said.get("components")
    text, header = _text_of(_part(parts, "BODY")), _part(parts, "HEADER")
    kind, title = header.get("format"), _text_of(header)
    category, reason = said.get("category"), said.get("rejected_reason")
    return Template(
        **words,
        category=category if isinstance(category, str) else None,
        quality=quality if isinstance(quality, str) else None,
        reason=reason if isinstance(reason, str) else None,
        body=text,
        places=_places(text),
        header=kind if isinstance(kind, str) else None,
        header_text=title,
        header_places=_places(title),
        buttons=_buttons(_part(parts, "BUTTONS").get("buttons")),
    )


def _part(parts: Any, kind: str) -> dict[str, Any]:
    """One component of a template, empty when it has none of that kind."""
    found = parts if isinstance(parts, list) else []
    return next((part for part in found if isinstance(part, dict) and part.get("type") == kind), {})


def _text_of(part: dict[str, Any]) -> str | None:
    text = part.get("text")
    return text if isinstance(text, str) else None


def _places(text: str | None) -> int:
    """How many different values a text wants."""
    return len({part.partition("}}")[0] for part in text.split("{{")[1:]}) if text else 0


def _buttons(said: Any) -> tuple[dict[str, Any], ...]:
    """The buttons that want a value: an address with a place in it, a code to copy."""
    found = []
    for index, button in enumerate(said if isinstance(said, list) else []):
        if not isinstance(button, dict):
            continue
        kind, url = str(button.get("type", "")).lower(), button.get("url")
        if kind == "copy_code" or (kind == "url" and isinstance(url, str) and "{{" in url):
            found.append({"index": index, "kind": kind, "text": _text_of(button) or ""})
    return tuple(found)


def _after(paging: dict[str, Any]) -> str | None:
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    return after if isinstance(after, str) and after else None


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes | None:
    """The body; None when it is longer than that."""
    taken = bytearray()
    async for chunk in response.content.iter_any():
        taken += chunk
        if len(taken) > most:
            response.close()
            return None
    return bytes(taken)
