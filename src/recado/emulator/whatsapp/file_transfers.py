"""
Files over HTTPS (files.py says what there is): one listener beside the WebSocket's, with a certificate of its own whose
authority goes to clients in `Server.files_ca`. Nothing of a file is held in memory but the piece that passes.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from recado.emulator.whatsapp.files import (
    POSTED,
    TYPES,
    FileFault,
    FileServer,
    PlannedFault,
    StoredFile,
    hash_of,
    read_place,
)

_PIECE = 256 * 1024
_PEM = serialization.Encoding.PEM


class Transfers:
    """The requests for one world's files."""

    def __init__(self, files: FileServer) -> None:
        self._files = files

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """Take a file in, if it is the one its name says, and the client has leave."""
        method = "RESUME" if request.query.get("resume") == "1" else "POST"
        start = int(request.query.get("file_offset", "0"))
        self._files.requests.append((method, request.path, start))
        fault = self._files.take(method)
        if fault is not None and fault.fault is FileFault.REFUSE:
            return _said(fault.code, "refused")
        if not self._files.may_upload(request.query.get("auth", "")):
            return _said(401, "no leave to upload")
        is_posted = request.path.startswith("/newsletter/")
        if request.match_info["type"] not in (POSTED if is_posted else TYPES):
            return _said(404, "no such type of file")
        expected = hash_of(request.match_info["token"])
        if method == "RESUME":
            return self._how_far(expected)
        if start > self._files.how_much(expected):
            return _said(400, "the bytes before these are not here")
        path = self._files.take_part(expected) if start else self._files.new_place()
        whole = False
        try:
            whole = await self._receive(request, path, start, fault)
        finally:
            if not whole:
                self._files.keep_part(expected, path)
        if not whole:
            return _said(400, "it broke off")  # which nobody hears
        size, enc_sha256 = path.stat().st_size, await asyncio.to_thread(_digest, path)
        if size > self._files.most or enc_sha256 != expected:
            path.unlink(missing_ok=True)
            return _said(413 if size > self._files.most else 400, "not the file that was named, or too large")
        url, direct_path = self._files.keep(request.match_info["type"], path, size, enc_sha256)
        if fault is not None and fault.fault is FileFault.SWALLOW:
            _cut(request)
        answer = {"url": url, "direct_path": direct_path}
        if is_posted:
            answer["handle"] = self._files.handle_of(direct_path)
        if request.match_info["type"] == "biz-cover-photo":
            answer |= {"fbid": str(int.from_bytes(expected[:6], "big")), "meta_hmac": expected.hex(), "ts": "1"}
        return web.json_response(answer)

    def _how_far(self, expected: bytes) -> web.Response:
        found = self._files.uploaded(expected)
        if found is None:
            return web.json_response({"resume": str(self._files.how_much(expected))})
        return web.json_response({"resume": "complete", "url": found[0], "direct_path": found[1]})

    async def _receive(self, request: web.Request, path: Path, at: int, fault: PlannedFault | None) -> bool:
        """Put what comes into the file, from byte `at` on: did all of it come?"""
        cut_at = fault.after if fault is not None and fault.fault is FileFault.CUT else None
        with path.open("r+b" if at else "wb") as file:
            file.seek(at)
            file.truncate()
            async for piece in request.content.iter_chunked(_PIECE):
                at += len(piece)
                if cut_at is not None and at > cut_at:
                    _cut(request)
                    return False
                if at > self._files.most + _PIECE:
                    break
                await asyncio.to_thread(file.write, piece)
        return True

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """Take a file away, for who has leave and names its hash and its place."""
        self._files.requests.append(("DELETE", request.path, 0))
        fault = self._files.take("DELETE")
        if fault is not None and fault.fault is FileFault.REFUSE:
            return _said(fault.code, "refused")
        if not self._files.may_upload(request.query.get("auth", "")):
            return _said(401, "no leave to delete")
        place = read_place(request.query.get("d_md", ""))
        stored = self._files.find(place)
        if stored is None or stored.is_gone or stored.enc_sha256 != hash_of(request.match_info["token"]):
            return _said(404, "there is no such file")
        if stored.handle not in (None, request.query.get("e_handle")):
            return _said(403, "the handle is another's")
        self._files.expire(place)
        return web.Response(status=200)

    async def download(self, request: web.Request) -> web.StreamResponse:
        """Hand a file out, from the first byte or a later one."""
        start = _start(request.headers.get("Range", ""))
        self._files.requests.append(("GET", request.path, start))
        fault = self._files.take("GET")
        if fault is not None and fault.fault is FileFault.REFUSE:
            return _said(fault.code, "refused")
        picture = self._files.shown(request.path)
        if picture is not None:
            return web.Response(body=picture, content_type="image/jpeg")
        stored = self._files.find(request.path)
        if stored is None or stored.is_gone:
            return _said(410 if stored else 404, "there is no such file")
        if start >= stored.size:
            return web.Response(status=416, headers={"Content-Range": f"bytes */{stored.size}"})
        return await self._send(request, stored, start, fault)

    async def _send(
        self, request: web.Request, stored: StoredFile, start: int, fault: PlannedFault | None
    ) -> web.StreamResponse:
        end = _end(request.headers.get("Range", ""), stored.size)
        headers = {"Content-Length": str(end - start), "Accept-Ranges": "bytes"}
        if "Range" in request.headers:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{stored.size}"
        response = web.StreamResponse(status=206 if "Range" in request.headers else 200, headers=headers)
        await response.prepare(request)
        with stored.path.open("rb") as file:
            file.seek(start)
            at = start
            while at < end and (piece := await asyncio.to_thread(file.read, min(_PIECE, end - at))):
                if fault is not None and fault.fault is FileFault.CORRUPT and at == start:
                    piece = bytes((piece[0] ^ 1,)) + piece[1:]
                if fault is not None and fault.fault is FileFault.CUT and at - start + len(piece) > fault.after:
                    await response.write(piece[: max(0, fault.after - (at - start))])
                    _cut(request)
                    break
                await response.write(piece)
                at += len(piece)
        return response


@asynccontextmanager
async def serve_files(files: FileServer, *, host: str) -> AsyncIterator[str]:
    """Listen on any port of `host`; gives the authority (PEM) that clients must trust."""
    transfers = Transfers(files)
    app = web.Application(client_max_size=0)
    for use in ("mms", "product", "pps", "newsletter"):
        app.router.add_post(f"/{use}/{{type}}/{{token}}", transfers.upload)
    app.router.add_delete("/mms/{type}/{token}", transfers.delete)
    app.router.add_get("/v/{name:.+}", transfers.download)
    app.router.add_get("/m1/v/{name:.+}", transfers.download)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    authority, context = _credentials(host)
    try:
        await web.TCPSite(runner, host, 0, ssl_context=context).start()
        files.hosts = [f"{_shown(host)}:{runner.addresses[0][1]}"]
        yield authority
    finally:
        await runner.cleanup()
        files.close()


@cache
def _credentials(host: str) -> tuple[str, ssl.SSLContext]:
    """A certificate for this process that vouches for itself, and the context that shows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "recado emulator")])
    # Not by the world's clock: it is checked by those who go by the time that is.
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName(_names(host)), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(_PEM)
    private = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:  # the only way in that the ssl module has
        file.write(public + private)
        file.flush()
        context.load_cert_chain(file.name)
    return public.decode(), context


def _names(host: str) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return [*names, x509.DNSName(host)]
    return names if address.is_unspecified or address.is_loopback else [*names, x509.IPAddress(address)]


def _shown(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _start(wanted: str) -> int:
    first = wanted.removeprefix("bytes=").partition("-")[0]
    return int(first) if wanted.startswith("bytes=") and first.isdigit() else 0


def _end(wanted: str, size: int) -> int:
    last = wanted.partition("-")[2]
    return min(size, int(last) + 1) if wanted.startswith("bytes=") and last.isdigit() else size


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _said(status: int, reason: str) -> web.Response:
    return web.json_response({"error": reason}, status=status)
