"""
The files of one phone: it encrypts and uploads what it sends, opens what it received, and puts a file on the servers
again when a companion of its own asks for that.

    receipt type="server-error" of a companion  →  notification type="mediaretry"
    …, category="peer"                          →  the part of the history offered anew (archive.py)

Switches to be wrong on purpose: `answers` (off: it keeps still), `keeps` (off: it says that it has the file no more).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from recado.content import EncryptedFile, Media, MediaKind, StickerPack
from recado.emulator.whatsapp.delivery import post
from recado.errors import DecodeError, StanzaError, UsageError
from recado.jid import JID
from recado.protocol.media.cipher import KEY_SIZE, MediaKeys, Opener, Sealer
from recado.protocol.media.kinds import FileKind
from recado.protocol.media.retry import Reupload, check_request, seal_result
from recado.protocol.media.sticker_archive import OpenedPack, Sticker, open_archive, pack_archive
from recado.protocol.node import Node
from recado.protocol.stanzas.media_retry import MediaRetry

if TYPE_CHECKING:
    from recado.emulator.whatsapp.phone import Phone

_NOT_FOUND = 2
_MOST_PACK = 32 * 1024 * 1024


class PhoneFiles:
    """What a phone knows of files, by the ids of their messages."""

    def __init__(self, phone: Phone) -> None:
        self.answers = True
        self.keeps = True
        self.asked: list[str] = []
        self._phone = phone
        self._world = phone.world
        self._known: dict[str, EncryptedFile] = {}

    def note(self, id: str, content: object) -> None:
        """A message with this content is shown."""
        if isinstance(content, Media) and content.remote is not None:
            self._known[id] = content.remote

    def put(self, kind: MediaKind, data: bytes, described: Media | None = None) -> Media:
        """Encrypt and upload a file; what can be sent."""
        key, stored_as = self._world.entropy(KEY_SIZE), FileKind.of(kind)
        sealer = Sealer(MediaKeys.derive(key, stored_as))
        sealed = sealer.update(data)
        last, fingerprint = sealer.finish()
        url, direct_path = self._world.files.add(stored_as.path, sealed + last)
        remote = EncryptedFile(
            direct_path=direct_path,
            url=url,
            key=key,
            sha256=fingerprint.sha256,
            enc_sha256=fingerprint.enc_sha256,
            size=len(data),
            key_made_at=self._world.seconds(),
        )
        given = described or Media(kind)
        return replace(given, kind=kind, size=len(data), sha256=fingerprint.sha256.hex(), remote=remote)

    def put_picture(self, use: FileKind, data: bytes, key: bytes | None = None) -> EncryptedFile:
        """Upload a picture that a message shows by link; a thumbnail with the `key` of its file."""
        key = key or self._world.entropy(KEY_SIZE)
        sealer = Sealer(MediaKeys.derive(key, use))
        sealed = sealer.update(data)
        last, fingerprint = sealer.finish()
        direct_path = self._world.files.add(use.path, sealed + last)[1]
        return EncryptedFile(direct_path, "", key, fingerprint.sha256, fingerprint.enc_sha256, 0)

    def put_pack(self, name: str, stickers: Sequence[Sticker], thumbnail: bytes, publisher: str = "") -> StickerPack:
        """Pack stickers, encrypt and upload them with a picture of the pack; what can be sent."""
        id = self._world.entropy(16).hex()
        data, packed, icon = pack_archive(id, stickers, stickers[0].data)
        remote = replace(self.put_picture(FileKind.STICKER_PACK, data), size=len(data))
        linked = self.put_picture(FileKind.STICKER_PACK_THUMBNAIL, thumbnail, remote.key)
        words, files = (name, publisher, len(packed), id, None, None), (packed, icon, remote)
        return StickerPack(*words, *files, thumbnail_remote=linked)

    def open_pack(self, pack: StickerPack) -> OpenedPack:
        """The stickers of a pack that was received. Raises UsageError when it is not there, StickerPackRefused."""
        data = self._opened(pack.remote, FileKind.STICKER_PACK)
        return open_archive(data, pack.packed, pack.tray_icon, most=_MOST_PACK)

    def open(self, media: Media) -> bytes:
        """The bytes of a file that was received. Raises UsageError when it is not there, MediaCorrupted."""
        return self._opened(media.remote, FileKind.of(media.kind))

    def _opened(self, remote: EncryptedFile | None, use: FileKind) -> bytes:
        sealed = None if remote is None else self._world.files.read(remote.direct_path)
        if remote is None or sealed is None:
            raise UsageError("the file is not on the servers")
        keys = MediaKeys.derive(remote.key, use)
        opener = Opener(keys, sha256=remote.sha256, enc_sha256=remote.enc_sha256)
        opened = opener.update(sealed)
        return opened + opener.finish()[0]

    def on_request(self, node: Node) -> None:
        """A companion asks for a file to be uploaded again."""
        try:
            asked = MediaRetry.parse(node)
            device = self._world.directory.device(JID.parse(node.attrs["from"]))
        except (StanzaError, ValueError, KeyError):
            self._world.note_unknown(self._phone.device, node)
            return
        self.asked.append(asked.id)
        if device is None or device.account is not self._phone.account or not self.answers:
            return
        answer = self._answer(asked)
        own = str(self._phone.account.phone)
        attrs = {"id": asked.id, "from": own, "type": "mediaretry", "t": str(self._world.seconds())}
        self._world.transmit(post(self._world, device, Node("notification", attrs, answer.content())))

    def _answer(self, asked: MediaRetry) -> MediaRetry:
        remote, place = self._known.get(asked.id), (asked.id, asked.chat, asked.from_me, asked.participant)
        path = None if remote is None or not self.keeps else self._world.files.again(remote.enc_sha256)
        if remote is None or asked.sealed is None:
            return MediaRetry(*place, error=_NOT_FOUND)
        try:
            check_request(remote.key, asked.id, asked.sealed)
        except DecodeError:
            result = Reupload.NOT_OPENED
        else:
            result = Reupload.NOT_FOUND if path is None else Reupload.DONE
        told = path if result is Reupload.DONE else None
        return MediaRetry(*place, sealed=seal_result(remote.key, asked.id, result, told, self._world.entropy))
