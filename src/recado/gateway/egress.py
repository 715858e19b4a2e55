"""
The only door for HTTP requests to addresses that users give: webhooks now, media later. What is refused is decided by
the address a connection is about to be made to, not by how it was written or what a name said a moment earlier:

    the URL      form only: http or https, a name or a plainly written address, no credentials, a port that fits
    the name     every address it resolves to is looked at, and one that is not allowed refuses them all
    the socket   the address it will connect to is looked at again: what anything above was talked into ends here

No redirect is followed, no cookie kept, no proxy of the environment used, no body unpacked; time and size have limits.
It knows nothing of mentorados and of what is sent.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import ClassVar, Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from recado.errors import RecadoError, UsageError
from recado.gateway.refusals import Refusal

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_LONGEST_URL = 2048
_NAME = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_ALLOWED_NAME = re.compile(r"(?:\*\.)?[a-z0-9_.-]+")
_WEB_PORTS = (80, 443)
_FIRST_FREE_PORT = 1024
# What Python's `is_global` calls reachable, or called so in one of its versions, and is not the public internet.
_NEVER = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
        "::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7",
        "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
_NAT64 = ip_network("64:ff9b::/96")


class EgressRefused(Refusal):
    """Requests to this address are not made from here."""

    status = 400
    kind = "address-refused"


class EgressFailed(RecadoError):
    """The other side could not be reached, or gave no answer in time."""

    retryable: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `body` at most as long as was asked for, `is_cut` when there was more."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a request may take in all, how long to connect, and how much of an answer is read."""

    total_seconds: float = 15.0
    connect_seconds: float = 5.0
    most_bytes: int = 64 * 1024


class Policy:
    """Which addresses may be asked. `allow`: networks, addresses or names (`*.internal`) beside the public internet."""

    def __init__(self, allow: Iterable[str] = ()) -> None:
        """Raises UsageError."""
        self._networks: list[Network] = []
        self._names: list[str] = []
        for entry in allow:
            text = entry.strip().lower()
            try:
                self._networks.append(ip_network(text, strict=False))
            except ValueError:
                if not _ALLOWED_NAME.fullmatch(text):
                    raise UsageError(
                        "RECADO_EGRESS_ALLOW holds networks (10.0.0.0/8) and names (host.internal)"
                    ) from None
                self._names.append(text)

    def allows(self, address: Address) -> bool:
        """The public internet, and what the operator allowed."""
        inner = _embedded(address)
        given = [each for each in (address, inner) if each is not None]
        if any(each.version == network.version and each in network for each in given for network in self._networks):
            return True
        return _is_public(address) and (inner is None or _is_public(inner))

    def allows_name(self, host: str) -> bool:
        """Did the operator allow this name, wherever it leads?"""
        name = host.lower().rstrip(".")
        return any(name == each or (each.startswith("*.") and name.endswith(each[1:])) for each in self._names)

    def check(self, url: str) -> URL:
        """The URL, when it may be asked as far as its form says. Raises EgressRefused, which says what is wrong."""
        if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or set(url) & set(" \\"):
            raise EgressRefused("a URL has at most 2048 plain characters, without spaces and backslashes")
        try:
            parts, parsed = urlsplit(url), URL(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise EgressRefused("this is not a URL") from None
        if parts.scheme not in ("http", "https"):
            raise EgressRefused("a URL begins with https:// or http://")
        if "@" in parts.netloc:
            raise EgressRefused("a URL holds no user and no password")
        if port is not None and port not in _WEB_PORTS and port < _FIRST_FREE_PORT:
            raise EgressRefused("the port is 80, 443, or 1024 and above")
        if "%" in host or ("[" in parts.netloc and ":" not in host) or not _same_host(host, parsed.raw_host or ""):
            raise EgressRefused("the host can be read in two ways")
        self._check_host(host)
        return parsed.with_fragment(None)

    def _check_host(self, host: str) -> None:
        literal = _literal(host)
        if literal is not None:
            if not self.allows(literal):
                raise EgressRefused("this address is not on the public internet")
        elif not _NAME.fullmatch(host.removesuffix(".")):
            raise EgressRefused("the host is a name, or an address written plainly")
        elif host.rstrip(".").split(".")[-1] in ("localhost", "local", "internal") and not self.allows_name(host):
            raise EgressRefused("this host is not on the public internet")


class Egress:
    """Makes the requests; an async context manager. `resolver` finds addresses (default: the system's)."""

    def __init__(
        self, policy: Policy | None = None, *, limits: Limits | None = None, resolver: AbstractResolver | None = None
    ) -> None:
        self.policy = policy or Policy()
        self.limits = limits or Limits()
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        resolver = _CheckedResolver(self.policy, self._resolver or _SystemResolver())
        connector = aiohttp.TCPConnector(
            resolver=resolver,
            use_dns_cache=False,
            limit=0,
            limit_per_host=0,
            keepalive_timeout=15.0,
            socket_factory=resolver.open_socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(
                total=self.limits.total_seconds,
                connect=self.limits.connect_seconds,
                sock_connect=self.limits.connect_seconds,
            ),
        )
        return self

    async def __aexit__(self, *failure: object) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", most_bytes: int | None = None
    ) -> Answer:
        """
        One request, one answer, whatever its status; a redirect is an answer like others. Raises EgressRefused,
        EgressFailed.
        """
        if self._session is None:
            raise UsageError("the door is closed")
        most = self.limits.most_bytes if most_bytes is None else most_bytes
        target = self.policy.check(url)
        try:
            async with self._session.request(
                method, target, headers=headers, data=body or None, allow_redirects=False
            ) as response:
                taken, is_cut = await _read(response, most)
                if is_cut:
                    response.close()
                return Answer(response.status, response.headers, taken, is_cut)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise _translated(error) from None
        except ValueError:  # an answer that is no HTTP
            raise EgressFailed("the answer was not HTTP") from None

    @asynccontextmanager
    async def stream(
        self, method: str, url: str, *, headers: Mapping[str, str], idle_seconds: float = 30.0
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """
        One request whose answer is read as it comes, for as long as it comes. Raises EgressRefused, EgressFailed, also
        for what breaks inside the block.
        """
        if self._session is None:
            raise UsageError("the door is closed")
        target = self.policy.check(url)
        connect = self.limits.connect_seconds
        timeout = aiohttp.ClientTimeout(total=None, connect=connect, sock_connect=connect, sock_read=idle_seconds)
        try:
            async with self._session.request(
                method, target, headers=headers, allow_redirects=False, timeout=timeout
            ) as response:
                yield response
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise _translated(error) from None
        except ValueError:  # an answer that is no HTTP
            raise EgressFailed("the answer was not HTTP") from None


class _CheckedResolver(AbstractResolver):
    """Resolves names and opens sockets, for allowed addresses only."""

    def __init__(self, policy: Policy, inner: AbstractResolver) -> None:
        self._policy = policy
        self._inner = inner
        self._named: set[Address] = set()
        """Addresses that an allowed name led to: allowed because of the name."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        addresses = [_literal(each["host"]) for each in found]
        if self._policy.allows_name(host):
            self._named.update(each for each in addresses if each is not None)
        elif not all(each is not None and self._policy.allows(each) for each in addresses):
            raise _Barred
        return found

    def open_socket(self, info: AddrInfoType) -> socket.socket:
        """The socket a connection is about to be made with. Raises _Barred for an address that is not allowed."""
        family, kind, protocol, _, target = info
        address = _literal(target[0])
        if address is None or not (address in self._named or self._policy.allows(address)):
            raise _Barred
        return socket.socket(family, kind, protocol)

    async def close(self) -> None:
        await self._inner.close()


class _SystemResolver(AbstractResolver):
    """The system's resolver, in threads of its own: names that take for ever hold up nothing else of this process."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(16, thread_name_prefix="resolver")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        def look_up() -> list[tuple[int, str]]:
            found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
            return [(each[0], str(each[4][0])) for each in found]

        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)
            for kind, address in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Barred(OSError):
    """Behind this name, or in this socket, is an address that is not asked from here."""


async def _read(response: aiohttp.ClientResponse, most: int) -> tuple[bytes, bool]:
    taken = bytearray()
    async for chunk in response.content.iter_any():
        taken += chunk
        if len(taken) > most:
            return bytes(taken[:most]), True
    return bytes(taken), False


def _translated(error: Exception) -> RecadoError:
    """In words that name no host: they are stored, shown and logged."""
    causes: list[object] = [error, getattr(error, "os_error", None), error.__cause__]
    if any(isinstance(each, _Barred) for each in causes):
        return EgressRefused("the name leads to an address that is not on the public internet")
    match error:
        case aiohttp.ConnectionTimeoutError():
            return EgressFailed("no connection in time")
        case TimeoutError():
            return EgressFailed("no answer in time")
        case aiohttp.ClientConnectorDNSError():
            return EgressFailed("the name leads nowhere")
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return EgressFailed("the certificate is not trusted")
        case aiohttp.ClientConnectorError():
            return EgressFailed("the connection was refused or the host is not there")
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError() | OSError():
            return EgressFailed("the connection broke")
        case aiohttp.InvalidURL():
            return EgressRefused("this is not a URL")
        case _:
            return EgressFailed("the answer was not HTTP")


def _literal(host: str) -> Address | None:
    """An address in its one plain form; None for a name, and for the forms only some programs read as an address."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _same_host(one: str, other: str) -> bool:
    literal = _literal(one)
    return literal == _literal(other) if literal is not None else one.rstrip(".") == other.rstrip(".")


def _embedded(address: Address) -> IPv4Address | None:
    """The IPv4 address an IPv6 one carries, and a packet would end up at."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and (address.ipv4_mapped is not None or address in _NAT64):
        return True  # what it carries decides
    if any(address.version == network.version and address in network for network in _NEVER):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)
