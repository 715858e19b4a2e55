"""
Whom to trust, and where: one value. Production or an emulator, each with a root of its own; trust is given, never
switched off (law 9).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Server:
    """
    A WhatsApp Web endpoint: its WebSocket `url` and the 32-byte public `root` key its certificates hang from.
    Files are fetched from `files_host`, when the server has named none; `files_ca` is the authority (PEM) of those
    servers; None: the ones the system trusts. Through a `proxy` (`http://user:password@host:port`) both are reached by
    HTTP CONNECT: it sees to whom it connects and how much is said, for TLS and Noise are with the server itself.
    """

    url: str
    root: bytes
    name: str = "WhatsApp"
    files_host: str = "mmg.whatsapp.net"
    files_ca: str | None = field(default=None, repr=False)
    proxy: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if len(self.root) != 32:
            raise ValueError("a root key has 32 bytes")
        if self.proxy is not None and not self.proxy.startswith(("http://", "https://")):
            raise ValueError("a proxy is spoken to over HTTP or HTTPS, with CONNECT")


WHATSAPP = Server(
    url="wss://web.whatsapp.com/ws/chat",
    # The key WhatsApp's certificate chain hangs from, as WhatsApp Web, Baileys and whatsmeow carry it.
    root=bytes.fromhex("142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b"),
)
