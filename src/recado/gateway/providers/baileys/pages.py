"""
Pages and their pictures for the previews of links, through the one door out: an address in a message is one that a user
gave. Each redirect is another request, looked at like the first.
"""

from __future__ import annotations

from urllib.parse import urljoin

from yarl import URL

from recado.client.media.previews import Fetch, Page
from recado.gateway.egress import Egress, EgressFailed, EgressRefused

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REQUESTS = 4
_HEADERS = {
    "Accept": "text/html, image/jpeg, image/png, image/webp;q=0.9",
    "Accept-Encoding": "identity",
    "User-Agent": "recado (link preview)",
}


def pages_through(egress: Egress) -> Fetch:
    """Asks where requests may go to; what may not be asked does not answer."""

    async def fetch(url: str, most: int) -> Page | None:
        for _ in range(_MOST_REQUESTS):
            try:
                answer = await egress.request("GET", str(URL(url)), headers=_HEADERS, most_bytes=most)
            except (EgressRefused, EgressFailed, ValueError):
                return None
            headers = {name.lower(): value for name, value in answer.headers.items()}
            if answer.status == 200:
                if headers.get("content-encoding", "identity") != "identity":
                    return None
                return Page(url, headers.get("content-type", ""), answer.body, answer.is_cut)
            if answer.status not in _REDIRECTS or not headers.get("location"):
                return None
            try:
                url = urljoin(url, headers["location"])
            except ValueError:
                return None
        return None

    return fetch
