"""
What a message may say: the limits that hold on every road, in plain words, before anything is queued. What one road
alone does not take, its own provider says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from recado.content import (
    Album,
    Buttons,
    Comment,
    Contacts,
    Content,
    DisappearingTimer,
    Edit,
    Event,
    EventAnswer,
    GroupInvite,
    Keep,
    LinkButton,
    LinkPreview,
    LiveLocation,
    Location,
    Media,
    MediaKind,
    OptionList,
    PhoneNumberSharing,
    Pin,
    Poll,
    PollVote,
    Reaction,
    Revoke,
    SharingLimit,
    StickerPack,
    Template,
    Text,
    content_kind,
)
from recado.content.links import first_link
from recado.gateway.refusals import BadContent
from recado.jid import GROUP, JID
from recado.store.facts import content_to_json

LONGEST_TEXT = 65_536
_LONGEST_BODY = 4_096
_LONGEST_CAPTION = 1_024
_LONGEST_TITLE = 60
_LONGEST_URL = 2_000
_LONGEST_ID = 256
_MOST_CARDS = 20
_MOST_MENTIONS = 1_024
_MOST_IN_ALBUM = 30
_TIMERS = (0, 86_400, 604_800, 7_776_000)
_PINS = (86_400, 604_800, 2_592_000)
_MOST_BUTTONS = 3
_MOST_OPTIONS = 10
_MOST_VALUES = 50
_CAPTIONED = (MediaKind.IMAGE, MediaKind.VIDEO, MediaKind.DOCUMENT)


def with_preview(text: str | None, content: Content | None) -> Content:
    """The text, asking to show what its first link leads to, if it has one. Raises BadContent for what is no text."""
    said = Text(text) if content is None and text is not None else content
    if not isinstance(said, Text):
        raise BadContent("only a text can show what a link leads to")
    link = first_link(said.body)
    return said if link is None else replace(said, preview=LinkPreview(link))


def check_content(content: Content) -> None:
    """Raises BadContent, with what is wrong and where the limit is."""
    for text in _strings(content_to_json(content)):
        if "\x00" in text:
            raise BadContent("the text holds a character (U+0000) that cannot be kept")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise BadContent("the text holds half of a character (a lone surrogate)")
    match content:
        case Text():
            if not content.body.strip():
                raise BadContent("the text is empty")
            if len(content.body) > LONGEST_TEXT:
                raise BadContent(f"a text has at most {LONGEST_TEXT} characters")
            _check_mentions(content.mentions)
        case Media():
            _check_media(content)
        case StickerPack(packed=packed):
            for each in packed:
                if not each.reference.startswith("media:"):
                    raise BadContent("a sticker of a pack is named by its reference here (media:…)")
        case Location() | LiveLocation():
            _check_location(content)
        case GroupInvite() | Album():
            _check_joined(content)
        case PhoneNumberSharing() | SharingLimit():
            pass
        case Contacts():
            _check_contacts(content)
        case Reaction():
            _sized("the id of the message a reaction is to", content.to, _LONGEST_ID, least=1)
            _sized("a reaction", content.emoji, 32)
        case Buttons() | OptionList() | LinkButton():
            _check_answers(content)
        case Template():
            _check_template(content)
        case Poll() | PollVote() | Event() | EventAnswer():
            _check_asking(content)
        case Edit() | Revoke() | Pin() | Keep():
            _check_about(content)
        case Comment(to=to, body=body):
            _sized("the id of the message a comment is under", to, _LONGEST_ID, least=1)
            check_content(Text(body))
        case DisappearingTimer(seconds=seconds):
            if seconds not in _TIMERS:
                raise BadContent("messages disappear after 1, 7 or 90 days, or (0) not at all")
        case _:
            raise BadContent(f"{content_kind(content)} is nothing that is sent")


def _check_location(content: Location | LiveLocation) -> None:
    if not (-90 <= content.latitude <= 90 and -180 <= content.longitude <= 180):
        raise BadContent("a latitude is between -90 and 90 degrees, a longitude between -180 and 180")
    if isinstance(content, LiveLocation):
        _sized("a caption", content.caption, _LONGEST_CAPTION)
        return
    _sized("a place's name", content.name, _LONGEST_CAPTION)
    _sized("a place's address", content.address, _LONGEST_CAPTION)


def _check_joined(content: GroupInvite | Album) -> None:
    match content:
        case GroupInvite():
            if not _is_address(content.group) or JID.parse(content.group).server != GROUP:
                raise BadContent("an invitation names a group by its address (…@g.us)")
            _sized("an invitation's code", content.code, _LONGEST_ID, least=1)
            _sized("a group's name", content.name, 100)
            _sized("a caption", content.caption, _LONGEST_CAPTION)
        case Album(images=images, videos=videos):
            _counted("pictures and films in an album", images + videos, _MOST_IN_ALBUM, least=2)


def _check_mentions(mentions: tuple[str, ...]) -> None:
    _counted("mentions", len(mentions), _MOST_MENTIONS, least=0)
    if not all(_is_address(each) and JID.parse(each).is_person for each in mentions):
        raise BadContent("people are mentioned by their addresses (…@s.whatsapp.net, …@lid)")


def _is_address(text: str) -> bool:
    try:
        return bool(JID.parse(text).user)
    except ValueError:
        return False


def _check_asking(content: Poll | PollVote | Event | EventAnswer) -> None:
    match content:
        case Poll(question=question, options=options, selectable=selectable):
            _sized("a question", question, 255, least=1)
            _counted("options", len(options), 12, least=2)
            for option in options:
                _sized("an option", option, 100, least=1)
            _distinct("option", list(options))
            if not 0 <= selectable <= len(options):
                raise BadContent("as many as there are options can be chosen, or (0) any number")
        case PollVote(poll=poll, options=options):
            _sized("the id of the poll", poll, _LONGEST_ID, least=1)
            _counted("options of a vote", len(options), 12, least=0)
        case Event():
            _sized("an event's name", content.name, 100, least=1)
            _sized("an event's description", content.description, 2_048)
            _sized("an event's link", content.join_link, _LONGEST_URL)
            if content.starts_at.tzinfo is None or (content.ends_at is not None and content.ends_at.tzinfo is None):
                raise BadContent("the times of an event need their time zone")
            if content.ends_at is not None and content.ends_at < content.starts_at:
                raise BadContent("an event ends after it has begun")
            if content.location is not None:
                _check_location(content.location)
        case EventAnswer(to=to, guests=guests):
            _sized("the id of the event", to, _LONGEST_ID, least=1)
            if not 0 <= guests <= 99:
                raise BadContent("0 to 99 guests come along")


def _check_about(content: Edit | Revoke | Pin | Keep) -> None:
    _sized("the id of the message it is about", content.to, _LONGEST_ID, least=1)
    match content:
        case Edit(content=Text() as text):
            check_content(text)
        case Edit():
            raise BadContent("only the words of a message can be edited")
        case Pin(seconds=seconds) if seconds not in _PINS:
            raise BadContent("a message is pinned for 1, 7 or 30 days")


def _check_media(media: Media) -> None:
    _sized("a reference to a file", media.reference, _LONGEST_URL, least=1)
    if not media.reference.startswith(("media:", "https://")):
        raise BadContent("a file is named by its reference (media:…) or an https address")
    _sized("a caption", media.caption, _LONGEST_CAPTION)
    _sized("the id of an album", media.album, _LONGEST_ID, least=1)
    _check_mentions(media.mentions)
    _sized("a file's name", media.file_name, 240)
    _sized("a file's type", media.mime_type, 255)
    if media.caption and media.kind not in _CAPTIONED:
        raise BadContent(f"{media.kind.value} has no caption: only {', '.join(kind.value for kind in _CAPTIONED)} have")
    if media.is_voice and media.kind is not MediaKind.AUDIO:
        raise BadContent("only audio is a voice message")


def _check_contacts(contacts: Contacts) -> None:
    _counted("contacts", len(contacts.cards), _MOST_CARDS)
    for card in contacts.cards:
        _sized("a contact's name", card.name, _LONGEST_CAPTION, least=1)
        _counted("numbers of a contact", len(card.phones), _MOST_CARDS)
        for phone in card.phones:
            if not 7 <= sum(character.isdigit() for character in phone) <= 15 or len(phone) > 32:
                raise BadContent("a contact's number has a country code and 7 to 15 digits")


def _check_answers(content: Buttons | OptionList | LinkButton) -> None:
    _sized("the text", content.body, _LONGEST_BODY, least=1)
    _sized("a header", content.header, _LONGEST_TITLE)
    _sized("a footer", content.footer, _LONGEST_TITLE)
    match content:
        case Buttons():
            _counted("buttons", len(content.buttons), _MOST_BUTTONS)
            for button in content.buttons:
                _sized("a button's title", button.title, 20, least=1)
                _sized("a button's id", button.id, _LONGEST_ID, least=1)
            _distinct("button", [button.id for button in content.buttons])
        case OptionList():
            options = [option for section in content.sections for option in section.options]
            _counted("options", len(options), _MOST_OPTIONS)
            _sized("a list's button", content.button, 20, least=1)
            for section in content.sections:
                _sized("a section's title", section.title, 24, least=1 if len(content.sections) > 1 else 0)
                _counted("options of a section", len(section.options), _MOST_OPTIONS)
            for option in options:
                _sized("an option's title", option.title, 24, least=1)
                _sized("an option's description", option.description, 72)
                _sized("an option's id", option.id, 200, least=1)
            _distinct("option", [option.id for option in options])
        case LinkButton():
            _sized("a button's title", content.title, 20, least=1)
            _sized("an address", content.url, _LONGEST_URL, least=1)
            if not _is_web_address(content.url):
                raise BadContent("a button opens an address that begins with http:// or https://")


def _check_template(template: Template) -> None:
    _sized("a template's name", template.name, 512, least=1)
    _sized("a template's language", template.language, 16, least=2)
    _counted("values of a template", len(template.body), _MOST_VALUES, least=0)
    for value in (*template.body, *(button.value for button in template.buttons)):
        _sized("a value of a template", value, _LONGEST_BODY, least=1)
    _sized("a template's header", template.header, _LONGEST_CAPTION)
    _counted("buttons of a template", len(template.buttons), _MOST_OPTIONS, least=0)
    if template.header_media is not None:
        _check_media(template.header_media)


def _sized(what: str, text: str | None, most: int, *, least: int = 0) -> None:
    if text is None:
        return
    if len(text) > most:
        raise BadContent(f"{what} has at most {most} characters")
    if least and len(text.strip()) < least:
        raise BadContent(f"{what} is empty" if least == 1 else f"{what} has at least {least} characters")


def _counted(what: str, count: int, most: int, *, least: int = 1) -> None:
    if not least <= count <= most:
        raise BadContent(f"there are {least} to {most} {what}")


def _distinct(what: str, ids: list[str]) -> None:
    if len(set(ids)) != len(ids):
        raise BadContent(f"each {what} has an id of its own")


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not any(map(str.isspace, url))


def _strings(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from _strings(each)
        case list():
            for each in value:
                yield from _strings(each)
