"""The file a backup is: what it says of itself, who can open it, and what happens when it was changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from recado.gateway.operations.backup_file import (
    MAGIC,
    BackupDamaged,
    Contents,
    Header,
    NotABackup,
    Scrypting,
    WeakPassphrase,
    WrongPassphrase,
    new_recovery_key,
    read_backup,
    read_header,
    write_backup,
)
from recado.gateway.operations.restore_plan import Value

MADE = datetime(2026, 5, 1, 12, tzinfo=UTC)
WHO = UUID("00000000-0000-4000-8000-000000000001")
HEADER = Header(MADE, WHO, {"creds": 1, "session": 2}, {"sent": 1})
CONTENTS = Contents("Clara", "5500000000001", "77", {"creds": Value(b"secret"), "sent-A": Value(b"text", MADE)})
CHEAP = Scrypting(n=1 << 10)
PASSPHRASE = "an invented passphrase"


def made(passphrase: str = PASSPHRASE) -> bytes:
    return write_backup(HEADER, CONTENTS, passphrase, cost=CHEAP)


def test_what_was_written_is_read_again() -> None:
    assert read_backup(made(), PASSPHRASE) == (HEADER, CONTENTS)


def test_it_says_in_the_clear_what_it_is_and_nothing_of_what_is_inside() -> None:
    file = made()
    assert read_header(file) == HEADER
    told = json.loads(file.split(b"\n")[1])
    assert (told["format"], told["kdf"]["name"], told["kdf"]["n"]) == (1, "scrypt", 1024)
    assert all(word not in file for word in (b"Clara", b"5500000000001", b"secret", b"sent-A"))


def test_another_passphrase_is_said_to_be_that() -> None:
    with pytest.raises(WrongPassphrase):
        read_backup(made(), "another passphrase")


@pytest.mark.parametrize("place", range(0, 420, 7))
def test_a_changed_byte_anywhere_is_a_typed_refusal(place: int) -> None:
    file = bytearray(made())
    file[place % len(file)] ^= 1
    with pytest.raises((BackupDamaged, NotABackup, WrongPassphrase)):
        read_backup(bytes(file), PASSPHRASE)


def test_a_changed_word_of_the_header_does_not_open() -> None:
    with pytest.raises(BackupDamaged):
        read_backup(made().replace(str(WHO).encode(), str(WHO).replace("1", "2").encode()), PASSPHRASE)


def test_a_cut_file_does_not_open() -> None:
    file = made()
    for end in (0, 5, len(MAGIC), len(MAGIC) + 30, len(file) - 30, len(file) - 1):
        with pytest.raises((BackupDamaged, NotABackup)):
            read_backup(file[:end], PASSPHRASE)


def test_a_file_cannot_ask_for_a_day_of_scrypt() -> None:
    with pytest.raises(NotABackup):
        read_backup(made().replace(b'"n":1024', b'"n":1073741824'), PASSPHRASE)


def test_a_newer_format_is_refused() -> None:
    with pytest.raises(NotABackup):
        read_header(made().replace(b'"format":1', b'"format":2'))


def test_a_short_passphrase_protects_nothing_and_is_refused() -> None:
    with pytest.raises(WeakPassphrase):
        made("short")


def test_a_recovery_key_is_a_passphrase() -> None:
    key = new_recovery_key()
    assert len(key.replace("-", "")) == 32
    assert key != new_recovery_key()
    assert read_backup(made(key), key)[1] == CONTENTS


def test_nothing_inside_is_in_a_repr() -> None:
    assert "Clara" not in repr(CONTENTS) and "5500000000001" not in repr(CONTENTS) and "secret" not in repr(CONTENTS)
