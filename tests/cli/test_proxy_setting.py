"""The proxy an operator names is the way to WhatsApp, and what is no HTTP proxy is refused without repeating it."""

from __future__ import annotations

import pytest

from recado.cli.serve import server_of
from recado.errors import UsageError
from recado.gateway.settings import Settings
from recado.server import WHATSAPP


def test_whatsapp_is_reached_through_the_proxy_the_settings_name() -> None:
    assert server_of(Settings(_env_file=None)) is WHATSAPP
    server = server_of(Settings(_env_file=None, whatsapp_proxy="http://ana:secret-word@127.0.0.1:3128"))
    assert server.proxy == "http://ana:secret-word@127.0.0.1:3128"
    assert (server.url, server.root) == (WHATSAPP.url, WHATSAPP.root)
    assert "secret-word" not in repr(server)


def test_what_is_no_http_proxy_is_refused() -> None:
    with pytest.raises(UsageError, match="RECADO_WHATSAPP_PROXY") as refused:
        server_of(Settings(_env_file=None, whatsapp_proxy="socks5://ana:secret-word@127.0.0.1:1080"))
    assert "secret-word" not in str(refused.value)
