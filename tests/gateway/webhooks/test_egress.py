"""No request leaves for a network that is not the public internet, however the address is written or looked up."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address

import pytest
from tests.gateway.webhooks.receivers import Names, receiving

from recado.errors import UsageError
from recado.gateway.egress import Egress, EgressFailed, EgressRefused, Limits, Policy, _CheckedResolver

PRIVATE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "100.64.0.1", "100.127.255.255", "169.254.169.254", "169.254.0.1", "192.0.0.8", "192.0.2.1", "192.88.99.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::1", "2002:a00:1::", "2001:0:7f00:1::1", "2001:db8::1",
    "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1", "100::1", "3fff::1", "5f00::1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "100.63.255.255", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_off_the_public_internet_is_refused(address: str) -> None:
    assert not Policy().allows(ip_address(address))
    with pytest.raises(EgressRefused):
        Policy().check(f"https://[{address}]/hook" if ":" in address else f"https://{address}/hook")


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str) -> None:
    assert Policy().allows(ip_address(address))
    Policy().check(f"https://[{address}]/hook" if ":" in address else f"https://{address}/hook")


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://127.1/",
        "http://127.0.1/", "http://0/", "http://1.2.3.4.5/", "http://①②⑦.0.0.1/", "http://127。0。0。1/",
        "http://%31%32%37.0.0.1/", "http://localhost/", "http://LOCALHOST./", "http://a.localhost/", "http://db.internal/",
        "http://printer.local/", "http://[::1%25eth0]/", "http://[fe80::1%eth0]/", "http://[v1.x]/", "http:///hook",
        "http://", "https:example.org", "//example.org/", "example.org/hook", "ftp://example.org/",
        "file:///etc/passwd", "gopher://example.org/", "javascript:alert(1)", "http://user:word@example.org/",
        "http://user@example.org/", "http://example.org@127.0.0.1/", "http://127.0.0.1\\@example.org/",
        "http://example.org\\@127.0.0.1/", "http://example.org:22/", "http://example.org:0/", "http://example.org:99999/",
        "http://example.org:x/", "http://exa mple.org/", "http://example.org/\r\nhost: x", "http://exam\tple.org/",
        "http://example..org/", "http://-a.example.org/", f"http://example.org/{'a' * 2100}", "http://example.org:6379:80/",
    ],
)  # fmt: skip
def test_a_url_of_a_bad_form_is_refused(url: str) -> None:
    with pytest.raises(EgressRefused) as refusal:
        Policy(["8.0.0.0/8"]).check(url)
    assert "example" not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/hook?token=1&b=%20", "http://example.org:8080", "https://example.org./x#part",
        "https://xn--bcher-kva.example/", "https://a_b.example.org/", "https://HOOKS.example.org/", "https://8.8.8.8:443/",
    ],
)  # fmt: skip
def test_a_url_of_a_good_form_is_taken(url: str) -> None:
    assert Policy().check(url).scheme in ("http", "https")


def test_the_operator_may_allow_networks_and_names() -> None:
    policy = Policy(["10.1.0.0/16", "192.168.7.7", "fd00::/8", "queue.internal", "*.svc.local"])
    for address in ("10.1.2.3", "192.168.7.7", "::ffff:10.1.2.3", "fd00::1"):
        assert policy.allows(ip_address(address))
    for address in ("10.2.0.1", "192.168.7.8", "127.0.0.1", "169.254.169.254"):
        assert not policy.allows(ip_address(address))
    policy.check("http://queue.internal/hook")
    policy.check("http://a.svc.local/hook")
    for url in ("http://other.internal/", "http://svc.local.evil.internal/"):
        with pytest.raises(EgressRefused):
            policy.check(url)
    with pytest.raises(UsageError):
        Policy(["not a network!"])


async def test_nothing_is_asked_of_this_machine_unless_it_is_allowed() -> None:
    async with receiving() as receiver:
        async with Egress() as egress:
            with pytest.raises(EgressRefused):
                await egress.request("POST", receiver.url, headers={})
        async with Egress(Policy(["127.0.0.1"])) as egress:
            answer = await egress.request("POST", receiver.url, headers={"x-a": "1"}, body=b"{}")
        assert (answer.status, answer.body, answer.is_cut) == (200, b"ok", False)
        assert [each.body for each in receiver.posted] == [b"{}"]


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["::ffff:127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["2130706433"], ["localhost"], ["::1"]]
)
async def test_a_name_that_leads_home_is_refused_whole(addresses: list[str]) -> None:
    async with receiving() as receiver:
        names = Names(hook_example_org=[addresses])
        async with Egress(resolver=names) as egress:
            with pytest.raises(EgressRefused):
                await egress.request("POST", f"http://hook.example.org:{receiver.port}/", headers={})
        assert names.asked == 1
        assert receiver.posted == []


async def test_a_name_that_leads_elsewhere_the_second_time_is_looked_at_again() -> None:
    """Rebinding: what a name said when it was checked is nothing; the address of each connection is."""
    async with receiving() as receiver:
        names = Names(hook_example_org=[["127.0.0.1"], ["127.0.0.2"]])
        async with Egress(Policy(["127.0.0.1"]), resolver=names) as egress:
            url = f"http://hook.example.org:{receiver.port}/"
            await egress.request("POST", url, headers={"connection": "close"})
            with pytest.raises(EgressRefused):
                await egress.request("POST", url, headers={})
        assert (names.asked, len(receiver.posted)) == (2, 1)


@pytest.mark.parametrize("addresses", [["8.8.8.8", "10.0.0.1"], ["::ffff:10.0.0.1"], ["127.1"], ["8.8.8.8", "x"]])
async def test_one_address_inside_refuses_the_whole_name(addresses: list[str]) -> None:
    with pytest.raises(OSError):
        await _CheckedResolver(Policy(), Names(hook_example_org=[addresses])).resolve("hook.example.org")


async def test_the_socket_itself_is_the_last_to_refuse() -> None:
    resolver = _CheckedResolver(Policy(), Names())
    for target in (("127.0.0.1", 80), ("2130706433", 80), ("localhost", 80), ("::1", 80, 0, 0)):
        family = socket.AF_INET6 if len(target) == 4 else socket.AF_INET
        with pytest.raises(OSError):
            resolver.open_socket((family, socket.SOCK_STREAM, 0, "", target))


async def test_a_name_the_operator_allowed_may_lead_home() -> None:
    async with receiving() as receiver:
        names = Names(queue_internal=[["127.0.0.1"]], hook_example_org=[["127.0.0.1"]])
        async with Egress(Policy(["queue.internal"]), resolver=names) as egress:
            answer = await egress.request("POST", f"http://queue.internal:{receiver.port}/", headers={})
            assert answer.status == 200
            for host in ("hook.example.org", "127.0.0.1"):
                with pytest.raises(EgressRefused):
                    await egress.request("POST", f"http://{host}:{receiver.port}/", headers={})


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with receiving() as receiver, receiving() as inner:
        receiver.status, receiver.headers = 307, {"location": inner.url}
        async with Egress(Policy(["127.0.0.1"])) as egress:
            answer = await egress.request("POST", receiver.url, headers={})
        assert answer.status == 307
        assert inner.posted == inner.refused == []


async def test_an_answer_is_read_so_far_and_not_unpacked() -> None:
    async with receiving() as receiver:
        receiver.body, receiver.headers = b"x" * 1_000_000, {"content-encoding": "gzip"}
        async with Egress(Policy(["127.0.0.1"])) as egress:
            answer = await egress.request("GET", receiver.url, headers={}, most_bytes=1000)
        assert (len(answer.body), answer.is_cut) == (1000, True)


async def test_an_answer_that_does_not_come_ends_by_itself() -> None:
    async with receiving() as receiver:
        receiver.gate.clear()
        async with Egress(Policy(["127.0.0.1"]), limits=Limits(total_seconds=0.1)) as egress:
            with pytest.raises(EgressFailed, match="no answer in time"):
                await egress.request("POST", receiver.url, headers={})


async def test_an_answer_that_never_ends_ends_by_itself() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nx")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with Egress(Policy(["127.0.0.1"]), limits=Limits(total_seconds=0.1)) as egress:
            with pytest.raises(EgressFailed):
                await egress.request("POST", f"http://127.0.0.1:{port}/", headers={})


@pytest.mark.parametrize("said", [b"", b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000 + b"\r\n\r\n"])
async def test_what_is_no_http_is_a_failure_in_plain_words(said: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(said)
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with Egress(Policy(["127.0.0.1"])) as egress:
            with pytest.raises(EgressFailed) as failure:
                await egress.request("POST", f"http://127.0.0.1:{port}/", headers={})
    assert "127" not in str(failure.value)


async def test_a_host_that_is_not_there_is_a_failure() -> None:
    async with Egress(Policy(["127.0.0.1"]), resolver=Names()) as egress:
        with pytest.raises(EgressFailed, match="nowhere"):
            await egress.request("POST", "http://nobody.example.org/", headers={})
        with pytest.raises(EgressFailed, match="refused"):
            await egress.request("POST", "http://127.0.0.1:1024/", headers={})


async def test_the_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        async with Egress(resolver=Names()) as egress:
            with pytest.raises(EgressFailed, match="nowhere"):
                await egress.request("POST", "http://hook.example.org/", headers={})
        assert proxy.at_once == len(proxy.posted) == 0
