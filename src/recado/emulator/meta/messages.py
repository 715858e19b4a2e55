"""
What `POST /{number}/messages` accepts: shapes and limits, each refused with the code Meta refuses it with. Pure: it
knows no number, person, template or media file; those are looked at in sending.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from recado.emulator.meta.errors import GraphError, invalid, malformed, missing

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
BODY_LIMIT = 1024
LIST_BODY_LIMIT = 4096
SHORT_LIMIT = 60  # header, footer
TITLE_LIMIT = 20  # of a button
ROW_TITLE_LIMIT = 24
ROW_DESCRIPTION_LIMIT = 72
ID_LIMIT = 256
ROW_ID_LIMIT = 200
BUTTONS = 3
ROWS = 10
OPAQUE_LIMIT = 512
MEDIA_KINDS = ("image", "video", "audio", "document", "sticker")

_OBJECT_PARAMETERS = ("currency", "date_time", "image", "video", "document", "location")
_BSUID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A message somebody wants sent. `text` is what a phone would show of it."""

    to: str
    by_user_id: bool
    kind: str
    content: dict[str, Any]
    text: str
    reply_to: str | None
    opaque: str | None


def parse(body: dict[str, Any]) -> Asked:
    """A send request. Raises GraphError."""
    check_product(body)
    to, by_user_id = _recipient(body)
    kind = body.get("type", "text")
    if not isinstance(kind, str) or kind not in _CHECKS:
        raise GraphError(100, f"Param type must be one of {{{', '.join(map(str.upper, _CHECKS))}}} - got {kind!r}.")
    content = body.get(kind)
    if content is None:
        raise missing(kind)
    if kind == "contacts":
        content = {"contacts": content}
    if not isinstance(content, dict):
        raise malformed(f"Param {kind} must be a JSON object.")
    text = _CHECKS[kind](content, kind)
    return Asked(to, by_user_id, kind, content, text, _context(body), _opaque(body))


def check_product(body: dict[str, Any]) -> None:
    """Every body names the product. Raises GraphError."""
    if body.get("messaging_product") != "whatsapp":
        raise malformed("The parameter messaging_product is required.")


def _recipient(body: dict[str, Any]) -> tuple[str, bool]:
    """Whom it is for, and whether that is a user id. `to` wins when both are given."""
    kind = body.get("recipient_type", "individual")
    if kind != "individual":
        raise GraphError(131009, f"Param recipient_type must be individual - got {kind!r}.")
    to, recipient = body.get("to"), body.get("recipient")
    if to is None and recipient is None:
        raise malformed("The parameter to is required.")
    if to is not None:
        digits = "".join(filter(str.isdigit, str(to)))
        if not isinstance(to, str) or not 5 <= len(digits) <= 20:
            raise malformed("Param to is not a valid WhatsApp phone number.")
        return digits, False
    if not isinstance(recipient, str) or not _BSUID.fullmatch(recipient):
        raise malformed("Param recipient is not a valid user id.")
    return recipient, True


def _context(body: dict[str, Any]) -> str | None:
    context = body.get("context")
    if context is None:
        return None
    if not isinstance(context, dict) or not isinstance(context.get("message_id"), str):
        raise malformed("Param context['message_id'] must be a string.")
    return str(context["message_id"])


def _opaque(body: dict[str, Any]) -> str | None:
    opaque = body.get("biz_opaque_callback_data")
    if opaque is None:
        return None
    if not isinstance(opaque, str) or len(opaque) > OPAQUE_LIMIT:
        raise malformed(f"Param biz_opaque_callback_data must be at most {OPAQUE_LIMIT} characters long.")
    return opaque


def _string(where: dict[str, Any], name: str, limit: int, *, path: str = "", optional: bool = False) -> str:
    """A text of 1 to `limit` characters."""
    value, shown = where.get(name), f"{path}['{name}']" if path else name
    if value is None and optional:
        return ""
    if value is None:
        raise missing(shown)
    if not isinstance(value, str):
        raise malformed(f"Param {shown} must be a string.")
    if not value:
        raise malformed(f"Param {shown} cannot be empty.")
    if len(value) > limit:
        raise malformed(f"Param {shown} must be at most {limit} characters long.")
    return value


def _object(where: dict[str, Any], name: str, path: str) -> dict[str, Any]:
    value = where.get(name)
    if value is None:
        raise missing(f"{path}['{name}']")
    if not isinstance(value, dict):
        raise malformed(f"Param {path}['{name}'] must be a JSON object.")
    return value


def _objects(where: dict[str, Any], name: str, path: str, most: int) -> list[dict[str, Any]]:
    value = where.get(name)
    if value is None:
        raise missing(f"{path}['{name}']")
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise malformed(f"Param {path}['{name}'] must be an array of JSON objects.")
    if not 1 <= len(value) <= most:
        raise invalid(f"{path}['{name}']", f"must have 1 to {most} elements, it has {len(value)}")
    return value


def _any_objects(where: dict[str, Any], name: str, path: str) -> list[dict[str, Any]]:
    """Like `_objects`, and there may be none."""
    value = where.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise malformed(f"Param {path}['{name}'] must be an array of JSON objects.")
    return value


def _check_text(content: dict[str, Any], kind: str) -> str:
    return _string(content, "body", TEXT_LIMIT, path="text")


def _check_media(content: dict[str, Any], kind: str) -> str:
    id, link = content.get("id"), content.get("link")
    if (id is None) == (link is None):
        raise invalid(kind, "must have either an id or a link")
    if link is not None and not (isinstance(link, str) and link.startswith(("http://", "https://"))):
        raise invalid(f"{kind}['link']", "is not a valid URI")
    if id is not None and not isinstance(id, str):
        raise malformed(f"Param {kind}['id'] must be a string.")
    if "caption" in content and kind in {"audio", "sticker"}:
        raise malformed(f'Unexpected key "caption" on param {kind}.')
    if "filename" in content and kind != "document":
        raise malformed(f'Unexpected key "filename" on param {kind}.')
    return _string(content, "caption", CAPTION_LIMIT, path=kind, optional=True)


def _check_location(content: dict[str, Any], kind: str) -> str:
    for name, most in (("latitude", 90.0), ("longitude", 180.0)):
        if content.get(name) is None:
            raise missing(f"location['{name}']")
        try:
            value = float(content[name])
        except (TypeError, ValueError):
            raise invalid(f"location['{name}']", "is not a number") from None
        if abs(value) > most:
            raise invalid(f"location['{name}']", "is out of range")
    return _string(content, "name", 1000, path="location", optional=True)


def _check_contacts(content: dict[str, Any], kind: str) -> str:
    names = []
    for place, contact in enumerate(_objects(content, "contacts", "", 257)):
        name = _object(contact, "name", f"contacts[{place}]")
        names.append(_string(name, "formatted_name", 1000, path=f"contacts[{place}]['name']"))
    return ", ".join(names)


def _check_reaction(content: dict[str, Any], kind: str) -> str:
    _string(content, "message_id", 1000, path="reaction")
    emoji = content.get("emoji")
    if not isinstance(emoji, str):
        raise missing("reaction['emoji']")
    if len(emoji) > 20 or (emoji.isascii() and emoji):
        raise invalid("reaction['emoji']", "is not an emoji")
    return emoji


def _check_template(content: dict[str, Any], kind: str) -> str:
    _string(content, "name", 512, path="template")
    _string(_object(content, "language", "template"), "code", 20, path="template['language']")
    for component in _any_objects(content, "components", "template"):
        for parameter in _any_objects(component, "parameters", "template['components']"):
            form = parameter.get("type")
            if isinstance(form, str) and form in _OBJECT_PARAMETERS:
                _object(parameter, form, "template['components']['parameters']")
    return ""


def _check_interactive(content: dict[str, Any], kind: str) -> str:
    form = content.get("type")
    if not isinstance(form, str) or form not in _INTERACTIVE:
        raise GraphError(131009, f"Param interactive['type'] must be one of {{{', '.join(_INTERACTIVE)}}}.")
    action = _object(content, "action", "interactive")
    body = ""
    if form not in {"product"} or "body" in content:
        limit = LIST_BODY_LIMIT if form == "list" else BODY_LIMIT
        body = _string(_object(content, "body", "interactive"), "text", limit, path="interactive['body']")
    if "footer" in content:
        footer = _object(content, "footer", "interactive")
        _string(footer, "text", SHORT_LIMIT, path="interactive['footer']")
    if "header" in content:
        _check_header(_object(content, "header", "interactive"), form)
    _INTERACTIVE[form](action)
    return body


def _check_header(header: dict[str, Any], form: str) -> None:
    kind = header.get("type")
    if kind == "text":
        _string(header, "text", SHORT_LIMIT, path="interactive['header']")
    elif kind in ("image", "video", "document"):
        if form in {"list", "product_list"}:
            raise invalid("interactive['header']['type']", "must be text")
        _check_media(_object(header, kind, "interactive['header']"), kind)
    else:
        raise invalid("interactive['header']['type']", "must be one of text, image, video, document")


def _check_buttons(action: dict[str, Any]) -> None:
    path = "interactive['action']"
    replies = []
    for button in _objects(action, "buttons", path, BUTTONS):
        if button.get("type") != "reply":
            raise invalid(f"{path}['buttons']['type']", "must be reply")
        replies.append(_object(button, "reply", f"{path}['buttons']"))
    for reply in replies:
        _string(reply, "title", TITLE_LIMIT, path=f"{path}['buttons']['reply']")
        _string(reply, "id", ID_LIMIT, path=f"{path}['buttons']['reply']")
    _differ([reply["id"] for reply in replies], "button ids")
    _differ([reply["title"] for reply in replies], "button titles")


def _check_list(action: dict[str, Any]) -> None:
    path = "interactive['action']"
    _string(action, "button", TITLE_LIMIT, path=path)
    sections = _objects(action, "sections", path, ROWS)
    rows = []
    for section in sections:
        if len(sections) > 1:
            _string(section, "title", ROW_TITLE_LIMIT, path=f"{path}['sections']")
        rows += _objects(section, "rows", f"{path}['sections']", ROWS)
    if len(rows) > ROWS:
        raise invalid(f"{path}['sections']", f"have {len(rows)} rows, the most is {ROWS}")
    for row in rows:
        _string(row, "id", ROW_ID_LIMIT, path="row")
        _string(row, "title", ROW_TITLE_LIMIT, path="row")
        _string(row, "description", ROW_DESCRIPTION_LIMIT, path="row", optional=True)
    _differ([row["id"] for row in rows], "row ids")


def _check_url(action: dict[str, Any]) -> None:
    _named(action, "cta_url")
    parameters = _object(action, "parameters", "interactive['action']")
    _string(parameters, "display_text", TITLE_LIMIT, path="parameters")
    url = _string(parameters, "url", 2000, path="parameters")
    if not url.startswith(("http://", "https://")):
        raise invalid("parameters['url']", "is not a valid URI")


def _check_flow(action: dict[str, Any]) -> None:
    _named(action, "flow")
    parameters = _object(action, "parameters", "interactive['action']")
    if not {"flow_id", "flow_name"} & parameters.keys():
        raise missing("parameters['flow_id']")
    _string(parameters, "flow_cta", 30, path="parameters")


def _check_location_request(action: dict[str, Any]) -> None:
    _named(action, "send_location")


def _check_product(action: dict[str, Any]) -> None:
    _string(action, "catalog_id", 200, path="interactive['action']")


def _named(action: dict[str, Any], name: str) -> None:
    if action.get("name") != name:
        raise invalid("interactive['action']['name']", f"must be {name}")


def _differ(values: list[str], what: str) -> None:
    if len(set(values)) != len(values):
        raise invalid("interactive['action']", f"has {what} twice")


_INTERACTIVE: dict[str, Callable[[dict[str, Any]], None]] = {
    "button": _check_buttons,
    "list": _check_list,
    "cta_url": _check_url,
    "flow": _check_flow,
    "location_request_message": _check_location_request,
    "product": _check_product,
    "product_list": _check_product,
}

_CHECKS: dict[str, Callable[[dict[str, Any], str], str]] = {
    "text": _check_text,
    **dict.fromkeys(MEDIA_KINDS, _check_media),
    "template": _check_template,
    "interactive": _check_interactive,
    "location": _check_location,
    "contacts": _check_contacts,
    "reaction": _check_reaction,
}
