"""
A content as JSON and back, its class in "type": what facts, rows, the emulator's control and the API hold of it. One
form for all of them, pinned by tests/store/formats.
"""

from __future__ import annotations

from recado.codec import converter
from recado.content import Content
from recado.errors import BadRecord

_encode_content, _decode_content = converter(Content)


def content_to_json(content: Content) -> dict[str, object]:
    """A content as JSON types, its class in "type"."""
    body: dict[str, object] = _encode_content(content)
    return body


def content_from_json(body: object) -> Content:
    """The content again. Raises BadRecord."""
    try:
        content: Content = _decode_content(body)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise BadRecord("a recorded content cannot be read") from None
    return content
