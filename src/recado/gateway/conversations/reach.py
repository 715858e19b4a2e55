"""
What may be written where. People and groups take whatever their road carries; a channel's post and a status are shown
to many who are not told apart, and take less.
"""

from __future__ import annotations

from recado.content import Content, Edit, Media, MediaKind, Revoke, Text, content_kind
from recado.gateway.conversations.passing import Passing
from recado.gateway.refusals import NotSupported
from recado.jid import JID, NEWSLETTER, STATUS

_POSTED = frozenset({MediaKind.IMAGE, MediaKind.VIDEO, MediaKind.AUDIO, MediaKind.DOCUMENT})
_SHOWN = frozenset({MediaKind.IMAGE, MediaKind.VIDEO, MediaKind.AUDIO})


def check_place(address: JID, said: Content, passing: Passing, *, is_answer: bool) -> None:
    """May that be said there? Raises NotSupported."""
    if address.is_person or address.is_group:
        return
    if address.server == NEWSLETTER:
        _check(said, "a channel", _POSTED, may_edit=True)
    elif address == STATUS:
        _check(said, "a status", _SHOWN, may_edit=False)
    else:
        raise NotSupported("messages go to people, groups, channels and the status; other chats are read only")
    if is_answer or passing.asked():
        raise NotSupported("what is posted answers nothing, is passed on from nowhere, and has no time of its own")


def _check(said: Content, place: str, files: frozenset[MediaKind], *, may_edit: bool) -> None:
    match said:
        case Text() | Revoke():
            return
        case Media(kind=kind) if kind in files and not said.is_view_once:
            return
        case Edit() if may_edit:
            return
    raise NotSupported(f"{place} does not take this kind of content ({content_kind(said)})")
