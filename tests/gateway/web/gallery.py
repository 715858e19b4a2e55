"""A conversation and a group with one message of every kind, as facts: what the pages of bubbles are looked at with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from recado.content import (
    Album,
    Answer,
    Button,
    Buttons,
    Choice,
    ContactCard,
    Contacts,
    Content,
    DisappearingTimer,
    Edit,
    Event,
    EventAnswer,
    GroupInvite,
    LinkButton,
    LiveLocation,
    Location,
    Media,
    MediaKind,
    Option,
    OptionList,
    OptionSection,
    PackedSticker,
    Pin,
    Poll,
    PollVote,
    Product,
    Reaction,
    Revoke,
    StickerPack,
    Template,
    Text,
    Unsupported,
)
from recado.events import Fact, MessageId, MessageReceived, MessageSent, ReceiptKind, ReceiptReceived
from recado.jid import JID

AT = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
ME, BIA, CAIO = JID.phone("550000000001"), JID.phone("550000000002"), JID.phone("550000000003")
GROUP = JID("120363000000000001", "g.us")


def _file(kind: MediaKind, reference: str, mime_type: str, **more: object) -> Media:
    return replace(Media(kind, reference, mime_type), **more)  # type: ignore[arg-type]


def contents(picture: str, sound: str, paper: str) -> list[Content]:
    """One of each kind; the files by what they are called here."""
    return [
        Text("Bom dia! Tudo certo para quinta?"),
        _file(MediaKind.IMAGE, picture, "image/png", caption="O quadro de ontem", width=320, height=200),
        _file(MediaKind.STICKER, picture, "image/png"),
        _file(MediaKind.AUDIO, sound, "audio/wav", is_voice=True, seconds=7),
        _file(MediaKind.VIDEO, sound, "video/mp4", caption="A sala", seconds=12, size=3_400_000),
        _file(MediaKind.DOCUMENT, paper, "application/pdf", file_name="contrato.pdf", size=184_000),
        _file(MediaKind.IMAGE, "media:00000000-0000-4000-8000-00000000dead", "image/jpeg"),
        _file(MediaKind.IMAGE, "", "image/jpeg", is_view_once=True),
        Location(-23.55, -46.63, "Praça da Sé", "Centro, São Paulo"),
        LiveLocation(-23.56, -46.64, caption="a caminho"),
        Contacts((ContactCard("Dra. Lia", ("+55 00 0000-0009",)), ContactCard("Ôtto", ("+55 00 0000-0008",)))),
        Poll("Qual dia é melhor?", ("quinta", "sexta"), 1),
        Event(
            "Aula aberta", AT + timedelta(days=3), AT + timedelta(days=3, hours=1), location=Location(1, 2, "Sala 3")
        ),
        Buttons("Confirma?", (Button("s", "Sim"), Button("n", "Não")), footer="até as 18h"),
        OptionList(
            "Escolha um horário", "Horários", (OptionSection("Manhã", (Option("a", "9h"), Option("b", "10h"))),)
        ),
        LinkButton("O material está aqui", "Abrir", "https://example.org/a"),
        Choice("s", "Sim"),
        Template("lembrete", "pt_BR", ("Ana", "quinta")),
        Album(2, 1),
        DisappearingTimer(604_800),
        GroupInvite("120363000000000002@g.us", "CODE", "Turma de 2027"),
        Product("Caderno", price="39.90", currency="BRL"),
        Unsupported("orderMessage", b"\x0a", text="2 itens"),
        Unsupported("newThingMessage", b"\x0a"),
        StickerPack("Carinhas", "Clara", 2, packed=(PackedSticker("", ("😀",), reference=picture),) * 2),
        StickerPack("Gatos", "Bia", 3, packed=(PackedSticker("a", ("😺",)), PackedSticker("b", ("😹",)))),
    ]


def facts(picture: str, sound: str, paper: str) -> list[Fact]:
    """Told in order: the kinds in turn from Bia and from us, then what is said of some of them."""
    told: list[Fact] = []
    for number, content in enumerate(contents(picture, sound, paper)):
        at, id = AT + timedelta(minutes=number), MessageId(f"K{number:02}")
        if number % 3 == 2:
            told.append(MessageSent(account=ME, at=at, id=id, chat=BIA, content=content, sent_at=at))
        else:
            told.append(
                MessageReceived(account=ME, at=at, id=id, chat=BIA, sender=BIA, from_me=False, content=content,
                                sent_at=at, push_name="Bia", forwarded=5 if number == 1 else 0,
                                expires_in=604_800 if number == 0 else None)
            )  # fmt: skip
    told.append(
        ReceiptReceived(account=ME, at=AT, ids=(MessageId("K02"),), chat=BIA, sender=BIA, kind=ReceiptKind.READ)
    )
    later = AT + timedelta(hours=1)
    about: list[tuple[Content, bool]] = [
        (Reaction("K02", "❤️"), False),
        (Reaction("K01", "👍"), True),
        (Edit("K00", Text("Bom dia! Tudo certo para sexta?")), False),
        (Revoke("K14"), True),
        (PollVote("K11", ("sexta",)), False),
        (EventAnswer("K12", Answer.GOING, 1), True),
        (Pin("K05", from_me=True, seconds=2_592_000), False),
    ]
    for number, (content, from_me) in enumerate(about):
        told.append(
            MessageReceived(account=ME, at=later, id=MessageId(f"A{number}"), chat=BIA, sender=ME if from_me else BIA,
                            from_me=from_me, content=content, sent_at=later)
        )  # fmt: skip
    for number, (who, name, words) in enumerate([(BIA, "Bia", "Oi, turma"), (CAIO, "Caio", "Oi!")]):
        told.append(
            MessageReceived(account=ME, at=later, id=MessageId(f"G{number}"), chat=GROUP, sender=who, from_me=False,
                            content=Text(words), sent_at=later, push_name=name)
        )  # fmt: skip
    return told
