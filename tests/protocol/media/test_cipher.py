"""Files as they lie on the servers: Baileys' bytes, ours, and everything that is not the file that was sent."""

from __future__ import annotations

import hashlib
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recado.content import MediaKind
from recado.errors import MediaCorrupted
from recado.protocol.media.cipher import Fingerprint, MediaKeys, Opener, Sealer, sealed_size
from recado.protocol.media.kinds import FileKind

KEY = bytes(range(32))
KEYS = MediaKeys.derive(KEY, FileKind.DOCUMENT)
KINDS = {
    "image": FileKind.IMAGE,
    "sticker": FileKind.IMAGE,
    "video": FileKind.VIDEO,
    "ptv": FileKind.VIDEO,
    "gif": FileKind.VIDEO,
    "audio": FileKind.AUDIO,
    "ptt": FileKind.AUDIO,
    "document": FileKind.DOCUMENT,
    "md-msg-hist": FileKind.HISTORY,
    "md-app-state": FileKind.APP_STATE,
    "thumbnail-link": FileKind.LINK_THUMBNAIL,
    "thumbnail-image": FileKind.IMAGE_THUMBNAIL,
    "thumbnail-video": FileKind.VIDEO_THUMBNAIL,
    "thumbnail-document": FileKind.DOCUMENT_THUMBNAIL,
}


def made(size: int) -> bytes:
    return bytes((place * 31 + 7) % 256 for place in range(size))


def sealed(content: bytes, *, keys: MediaKeys = KEYS, piece: int = 1000) -> tuple[bytes, Fingerprint]:
    sealer, out = Sealer(keys), []
    for start in range(0, len(content), piece):
        out.append(sealer.update(content[start : start + piece]))
    last, fingerprint = sealer.finish()
    return b"".join([*out, last]), fingerprint


def opened(data: bytes, *, keys: MediaKeys = KEYS, piece: int = 777, **hashes: bytes | None) -> bytes:
    opener = Opener(keys, sha256=hashes.get("sha256"), enc_sha256=hashes.get("enc_sha256"))
    out = [opener.update(data[start : start + piece]) for start in range(0, len(data), piece)]
    last, fingerprint = opener.finish()
    assert fingerprint.enc_size == len(data)
    return b"".join([*out, last])


@pytest.mark.parametrize("name", KINDS)
def test_keys_are_the_ones_baileys_derives(name: str, vectors: dict[str, Any]) -> None:
    keys = MediaKeys.derive(bytes.fromhex(vectors["key"]), KINDS[name])
    told = vectors["derived"][name]
    assert (keys.iv.hex(), keys.cipher.hex(), keys.mac.hex()) == (told["iv"], told["cipher"], told["mac"])


def test_every_kind_of_a_message_has_its_keys() -> None:
    assert {FileKind.of(kind).path for kind in MediaKind} == {"image", "video", "audio", "document"}


def test_we_make_the_very_bytes_baileys_makes(vectors: dict[str, Any]) -> None:
    for told in vectors["files"]:
        keys = MediaKeys.derive(bytes.fromhex(told["key"]), KINDS[told["kind"]])
        data, fingerprint = sealed(made(told["size"]), keys=keys)
        assert fingerprint.sha256.hex() == told["sha256"]
        assert fingerprint.enc_sha256.hex() == told["encSha256"]
        assert (fingerprint.size, fingerprint.enc_size) == (told["length"], told["sealedSize"])
        assert sealed_size(told["size"]) == len(data) == told["sealedSize"]
        if "sealed" in told:
            assert data.hex() == told["sealed"]


def test_we_open_what_baileys_sealed(vectors: dict[str, Any]) -> None:
    for told in (told for told in vectors["files"] if "sealed" in told):
        keys = MediaKeys.derive(bytes.fromhex(told["key"]), KINDS[told["kind"]])
        hashes = {"sha256": bytes.fromhex(told["sha256"]), "enc_sha256": bytes.fromhex(told["encSha256"])}
        assert opened(bytes.fromhex(told["sealed"]), keys=keys, piece=3, **hashes) == made(told["size"])


@given(st.binary(max_size=200), st.integers(1, 40), st.integers(1, 40))
def test_where_pieces_are_cut_changes_nothing(content: bytes, out: int, back: int) -> None:
    data, fingerprint = sealed(content, piece=out)
    assert fingerprint.sha256 == hashlib.sha256(content).digest()
    assert fingerprint.enc_sha256 == hashlib.sha256(data).digest()
    assert opened(data, piece=back, sha256=fingerprint.sha256, enc_sha256=fingerprint.enc_sha256) == content


def test_pieces_larger_than_ours_are_taken_too() -> None:
    content = made(300_001)
    data, _ = sealed(content, piece=250_000)
    assert opened(data, piece=250_000) == content


@pytest.mark.parametrize("place", [0, 15, 16, 500, -27, -11, -10, -1])
def test_one_changed_bit_is_noticed(place: int) -> None:
    data = bytearray(sealed(made(1000))[0])
    data[place] ^= 1
    with pytest.raises(MediaCorrupted, match="MAC"):
        opened(bytes(data))


@pytest.mark.parametrize("left", [0, 5, 10, 26, 1000, 1017])
def test_a_file_that_is_cut_off_is_noticed(left: int) -> None:
    data = sealed(made(1000))[0]
    with pytest.raises(MediaCorrupted):
        opened(data[:left])


def test_a_file_with_more_behind_it_is_noticed() -> None:
    with pytest.raises(MediaCorrupted):
        opened(sealed(made(1000))[0] + b"\0")


def test_another_file_under_the_same_key_is_noticed() -> None:
    other, fingerprint = sealed(made(1000)), sealed(made(999))[1]
    with pytest.raises(MediaCorrupted, match="hash"):
        opened(other[0], enc_sha256=fingerprint.enc_sha256)
    with pytest.raises(MediaCorrupted, match="hash"):
        opened(other[0], sha256=fingerprint.sha256)


def test_a_file_of_another_kind_does_not_open() -> None:
    with pytest.raises(MediaCorrupted):
        opened(sealed(made(100))[0], keys=MediaKeys.derive(KEY, FileKind.IMAGE))


def test_a_sender_whose_padding_is_wrong_under_a_right_mac_is_noticed() -> None:
    class Careless(Sealer):
        def finish(self) -> tuple[bytes, Fingerprint]:
            last = self._seal(b"\x11" * 16)
            return last + self._hmac.digest()[:10], Fingerprint(b"", b"", 0, 0)

    for count in itertools.islice(range(1, 3), 2):
        sealer = Careless(KEYS)
        data = sealer.update(made(16 * count)) + sealer.finish()[0]
        with pytest.raises(MediaCorrupted, match="encrypted"):
            opened(data)


def test_a_key_of_another_size_is_refused() -> None:
    with pytest.raises(MediaCorrupted):
        MediaKeys.derive(b"short", FileKind.IMAGE)


def test_nothing_secret_is_shown() -> None:
    assert "00" not in repr(MediaKeys(b"0" * 16, b"0" * 32, b"0" * 32))
