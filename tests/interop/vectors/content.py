"""
Writes the half of tests/protocol/vectors/content.json that recado makes, and has Baileys complete it.

    python tests/interop/vectors/content.py          (after `make dev`; needs Node)
"""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

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
    EncryptedFile,
    Event,
    EventAnswer,
    GroupInvite,
    Keep,
    LinkPreview,
    LiveLocation,
    Location,
    Media,
    MediaKind,
    Option,
    OptionList,
    OptionSection,
    Pin,
    Poll,
    PollVote,
    Product,
    Reaction,
    Revoke,
    Text,
)
from recado.events import MessageId
from recado.jid import JID
from recado.protocol.messages.encode import Quoting, encode_message
from recado.protocol.messages.reporting import reporting_token
from recado.protocol.messages.secrets import encode_answer, encode_vote

HERE = Path(__file__).parent
VECTORS = HERE.parents[1] / "protocol" / "vectors" / "content.json"

BIA = JID.parse("550000000002@s.whatsapp.net")
RUI = JID.parse("550000000003@s.whatsapp.net")
AT = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
SECRET = sha256(b"a message's secret").digest()
NONCE = sha256(b"a nonce").digest()[:12]
TARGET = "3EB0000000000000000A"

_FILE = EncryptedFile(
    "/v/t62.7118-24/1_n.enc?ccb=11-4",
    "https://mmg.example.invalid/v/t62.7118-24/1_n.enc",
    sha256(b"media key").digest(),
    sha256(b"file").digest(),
    sha256(b"sealed file").digest(),
    123456,
    1_795_000_000,
)


def _media(kind: MediaKind, mime_type: str, **more: object) -> Media:
    return Media(kind, "", mime_type, size=_FILE.size, sha256=_FILE.sha256.hex(), remote=_FILE, **more)  # type: ignore[arg-type]


_PREVIEW = LinkPreview("https://example.invalid/a", "A page", "What it says", b"\xff\xd8small")
CONTENTS: dict[str, Content] = {
    "text": Text("olá 👋"),
    "mention": Text("hi @550000000003", (str(RUI),)),
    "preview": Text("see https://example.invalid/a", preview=_PREVIEW),
    "image": _media(
        MediaKind.IMAGE, "image/jpeg", caption="the sea", width=640, height=480, thumbnail=b"\xff\xd8small"
    ),
    "view_once": _media(MediaKind.IMAGE, "image/jpeg", is_view_once=True),
    "video": _media(MediaKind.VIDEO, "video/mp4", caption="a wave", seconds=9, width=320, height=240),
    "gif": _media(MediaKind.VIDEO, "video/mp4", seconds=2, is_gif=True),
    "round": _media(MediaKind.VIDEO, "video/mp4", seconds=4, is_round=True),
    "audio": _media(MediaKind.AUDIO, "audio/mpeg", seconds=180),
    "voice": _media(MediaKind.AUDIO, "audio/ogg; codecs=opus", seconds=3, is_voice=True, waveform=bytes(range(64))),
    "document": _media(MediaKind.DOCUMENT, "application/pdf", file_name="plan.pdf", pages=3),
    "document_with_caption": _media(MediaKind.DOCUMENT, "application/pdf", file_name="plan.pdf", caption="the plan"),
    "sticker": _media(MediaKind.STICKER, "image/webp", width=512, height=512, is_animated=True),
    "of_an_album": _media(MediaKind.IMAGE, "image/jpeg", album=TARGET),
    "album": Album(2, 1),
    "location": Location(-23.5614, -46.6559, "A square", "A street 1"),
    "live_location": LiveLocation(-23.5614, -46.6559, 12, 1.5, 90, "on my way", 7),
    "contact": Contacts((ContactCard("Bia Souza", ("+550000000002",)),)),
    "contacts": Contacts((ContactCard("Bia", ("+550000000002",)), ContactCard("Rui; Lima", ("+550000000003",)))),
    "poll": Poll("Which days?", ("monday", "tuesday", "friday"), 0),
    "poll_of_one": Poll("Coffee?", ("yes", "no"), 1),
    "quiz": Poll("2 + 2?", ("3", "4"), 1, "4"),
    "event": Event(
        "A walk", AT, AT.replace(hour=17), "Bring water", Location(-23.5, -46.6, "A park"), "https://example.invalid/c"
    ),
    "reaction": Reaction(TARGET, "❤️"),
    "reaction_taken_back": Reaction(TARGET, "", True),
    "edit": Edit(TARGET, Text("what I meant")),
    "revoke": Revoke(TARGET),
    "revoke_by_admin": Revoke(TARGET, False, str(RUI)),
    "pin": Pin(TARGET, True, 86_400, True),
    "unpin": Pin(TARGET, False, 0),
    "keep": Keep(TARGET, True),
    "timer": DisappearingTimer(604_800),
    "invite": GroupInvite("120000000000000001@g.us", "AbCdEf", "Walkers", AT, "come along"),
    "product": Product("A cup", "77", "of clay", "19.9", "BRL", "https://example.invalid/p", str(BIA), "look"),
    "choice_of_a_button": Choice("b1", "Yes"),
    "choice_of_a_list": Choice("r1", "Monday", "list"),
    "choice_of_a_template": Choice("t1", "Stop", "template"),
    "choice_in_a_flow": Choice("q1", "Go", "flow"),
    "buttons": Buttons("Coming?", (Button("b1", "Yes"), Button("b2", "No")), "Hello", "bye"),
    "buttons_that_open": Buttons("Where?", (Button("q1", "Go"), Button("", "Map", url="https://example.invalid"))),
    "list": OptionList(
        "Which day?",
        "Days",
        (OptionSection("Week", (Option("r1", "Monday", "early"), Option("r2", "Friday"))),),
        "H",
        "F",
    ),
}
VOTE = PollVote(TARGET, ("monday", "friday"))
ANSWER = EventAnswer(TARGET, Answer.MAYBE, 2)


def ours() -> dict[str, object]:
    """Every kind as recado encodes it; a quoted and forwarded one, a vote, an answer and a token beside."""
    encoded = {name: encode_message(content, chat=BIA, at=AT).hex() for name, content in CONTENTS.items()}
    quoting = Quoting(MessageId(TARGET), BIA, Text("look"))
    image = encode_message(CONTENTS["image"], chat=BIA, quoting=quoting, secret=SECRET, forwarded=3, expires_in=86_400)
    vote = encode_vote(VOTE, BIA, SECRET, author=BIA, voter=RUI, nonce=NONCE, at=AT)
    answer = encode_answer(ANSWER, BIA, SECRET, author=BIA, writer=RUI, nonce=NONCE, at=AT)
    token = reporting_token(image, SECRET, id=TARGET, sender=RUI, chat=BIA)
    assert token is not None
    return {
        **encoded,
        "quoting": image.hex(),
        "vote": vote.hex(),
        "answer": answer.hex(),
        "token": token.hex(),
        "secret": SECRET.hex(),
    }


if __name__ == "__main__":
    VECTORS.write_text(json.dumps({"ours": ours()}))
    node = shutil.which("node") or "node"
    subprocess.run([node, str(HERE / "content.mjs")], check=True)
