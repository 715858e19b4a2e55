"""
Where a process may die, by name. The spine, the sender, pairing and the gateway's workers call `reach(point)` at each;
it does nothing unless a test hung a hook there, which kills the process at the n-th time a point is reached. The list
is closed, so a crash run can prove that it hit every one. Knows nothing of what it interrupts.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class CrashPoint(StrEnum):
    """A place where the process may stop existing."""

    INBOUND_BEFORE_OPEN = "inbound.before_open"
    INBOUND_AFTER_OPEN = "inbound.after_open"
    INBOUND_BEFORE_COMMIT = "inbound.before_commit"
    INBOUND_AFTER_COMMIT = "inbound.after_commit"
    INBOUND_AFTER_ACK = "inbound.after_ack"
    OUTBOUND_BEFORE_SEAL = "outbound.before_seal"
    OUTBOUND_AFTER_SEAL_BEFORE_COMMIT = "outbound.after_seal_before_commit"
    OUTBOUND_AFTER_COMMIT = "outbound.after_commit"
    OUTBOUND_AFTER_WIRE = "outbound.after_wire"
    OUTBOUND_AFTER_ACK = "outbound.after_ack"
    OUTBOUND_AFTER_SETTLE = "outbound.after_settle"
    PAIRING_AFTER_SECRET = "pairing.after_secret"  # noqa: S105 - a place in the code
    PAIRING_BEFORE_COMMIT = "pairing.before_commit"
    PAIRING_AFTER_COMMIT = "pairing.after_commit"
    PAIRING_AFTER_SIGN = "pairing.after_sign"
    PREKEYS_BEFORE_UPLOAD = "prekeys.before_upload"
    PREKEYS_AFTER_UPLOAD = "prekeys.after_upload"
    RESEND_AFTER_COMMIT = "resend.after_commit"
    HISTORY_AFTER_FETCH = "history.after_fetch"
    HISTORY_AFTER_OUTLINE = "history.after_outline"
    HISTORY_AFTER_SLICE = "history.after_slice"
    HISTORY_BEFORE_RECEIPT = "history.before_receipt"
    APP_STATE_AFTER_FETCH = "app_state.after_fetch"
    APP_STATE_BEFORE_COMMIT = "app_state.before_commit"
    APP_STATE_AFTER_COMMIT = "app_state.after_commit"
    WORK_BEFORE_FINISH = "work.before_finish"


class GroupPoint(StrEnum):
    """Where a message to or from a group may be interrupted, beside the points every message passes."""

    KEY_KEPT = "group.key_kept"  # the author's sender key came along, what it opens is still closed
    SEALED_BEFORE_COMMIT = "group.sealed_before_commit"
    GIVEN_BEFORE_COMMIT = "group.given_before_commit"  # the server took the message: who has our key is being noted
    ROTATED_BEFORE_COMMIT = "group.rotated_before_commit"  # somebody is gone: our key is being dropped


class AppStatePoint(StrEnum):
    """Where a change of the shared state, or a question for its keys, may be interrupted."""

    BEFORE_PUSH = "app_state.before_push"  # the patch is made, nobody has it
    AFTER_PUSH = "app_state.after_push"  # the server took the patch, nothing is written here
    PUSHED_BEFORE_COMMIT = "app_state.pushed_before_commit"  # what it comes to is being written
    AFTER_ASKING = "app_state.after_asking"  # the phone was asked for keys, the work still stands
    AFTER_PLEA = "app_state.after_plea"  # the phone was asked for a collection in the open, the work still stands
    BEFORE_RECOVERY = "app_state.before_recovery"  # what it gave is understood, nothing is written here


class FilePoint(StrEnum):
    """Where a file on its way up or down may be interrupted."""

    BEFORE_UPLOAD = "file.before_upload"  # encrypted in a temporary file, nothing has left
    AFTER_UPLOAD = "file.after_upload"  # on the servers, and no message names it
    WITHIN_DOWNLOAD = "file.within_download"  # a part of it is here, unproven
    BEFORE_PLACING = "file.before_placing"  # whole and proven, not under its name
    AFTER_REQUEST = "file.after_request"  # the phone was asked to upload it again


Hook = Callable[[str], None]

_hook: Hook | None = None


def hang(hook: Hook | None) -> None:
    """Have `hook` called with the name of every point reached; None takes it away. For tests."""
    global _hook
    _hook = hook


def reach(point: str) -> None:
    """Mark that the process got here."""
    if _hook is not None:
        _hook(point)
