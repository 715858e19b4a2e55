"""
What the account says it is, and how much it takes at once: frozen data, given once when the client is made. The device
is stable on purpose: WhatsApp sees the same browser on every start.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from recado.protocol.pairing.payload import Device

DeviceProfile = Device
"""The browser this client is, as the phone lists it among the linked devices."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes, times and what differs between servers. Times are seconds unless they say otherwise; tests turn them."""

    inbox: int = 1000
    """How many stanzas wait before the connection stops reading."""
    batch: int = 64
    """How many of them one transaction takes."""
    connect: float = 30.0
    """How long `send` waits for a connection that is being made."""
    login: float = 60.0
    """From the open socket to the end of the login questions."""
    query: float = 60.0
    """For the answer to a question."""
    ack: float = 75.0
    """For the server's acknowledgement of a message."""
    ping_every: tuple[float, float] = (20.0, 30.0)
    """Between two pings, drawn anew each time."""
    ping_answer: float = 10.0
    """For any sign of life after a ping."""
    first_code: float = 60.0
    """How long the first QR code is good."""
    next_code: float = 20.0
    """How long each later one is."""
    hold_number: float = 60.0
    """How long a link of another number than expected waits for a decision; the phone waits as long."""
    first_prekeys: int = 812
    """One-time keys uploaded when the server has none, as WhatsApp Web does."""
    more_prekeys: int = 50
    """One-time keys uploaded when they run low."""
    low_prekeys: int = 5
    """What counts as low."""
    retry_requests: int = 5
    """How often a sender is asked to send one message again."""
    resends: int = 10
    """How often one message is sent again to one device."""
    keep_sent: timedelta = timedelta(days=30)
    """How long the plaintext of what was sent is kept to answer retry requests (never under 14 days)."""
    keep_seen: timedelta = timedelta(days=30)
    """How long ids of messages are remembered for de-duplication."""
    keep_secrets: timedelta = timedelta(days=180)
    """How long votes in a poll and answers to an event can be opened."""
    keep_devices: timedelta = timedelta(hours=24)
    """How long a device list is believed without asking again."""
    rotate_signed_prekey: timedelta = timedelta(days=30)
    """How old the signed key gets before it is replaced; sessions are begun with the one before for as long again."""
    ask_keys_again: timedelta = timedelta(hours=24)
    """After which the phone is asked again for keys of the shared state that it has not given."""
    look_up_people: int = 50
    """How many people one look-up asks for."""
    look_ups: int = 5
    """How many look-ups may go at once, before they are paced."""
    look_up_every: float = 2.0
    """From then on, the seconds between two."""
    look_up_pause: float = 60.0
    """No look-up for so long after the server said that there were too many; doubled each time."""
    keep_look_ups: timedelta = timedelta(seconds=30)
    """How long the answer to a look-up is good for who asks the same."""
    fetch_history: bool = True
    """Are parts of the history fetched as they are offered? Else each is told, and waits for `client.history.fetch`."""
    keep_offered: timedelta = timedelta(days=30)
    """How long such a part waits; the servers may have lost it sooner, and the phone is asked for it then."""
    history_chunk: int = 200
    """How many history messages one transaction takes."""
    history_file: int = 512 * 1024 * 1024
    """The largest part of the history that is fetched, bytes as they lie on the media servers."""
    history_inflated: int = 4 * 1024 * 1024 * 1024
    """The most bytes one part may come to; never in memory together."""
    ask_phone_after: timedelta = timedelta(seconds=5)
    """How long a message's author has to send it again before the own phone is asked for it."""
    phone_requests: int = 3
    """How often the phone is asked for one message."""
    ask_phone_again: timedelta = timedelta(hours=1)
    """Between two of these."""
    ask_phone_within: timedelta = timedelta(days=14)
    """Of older messages the phone is not asked."""
    renew_session_every: timedelta = timedelta(hours=1)
    """How often, at most, keys of one device are fetched to begin a session anew for a resend."""
    keep_requests: timedelta = timedelta(days=1)
    """How long an answer of the phone is matched with what was asked."""
    file: int = 2 * 1024 * 1024 * 1024
    """How many bytes a file may have, on its way in and out."""
    keep_uploads: timedelta = timedelta(hours=12)
    """How long a file that went up under a name of the caller's is sent again as it is."""
    sticker_pack: int = 32 * 1024 * 1024
    """How many bytes a pack of stickers may have, as it is packed and as it comes out; it is held in memory."""
    reupload: float = 60.0
    """How long the phone has to upload a file again."""
    signal_ring: int = 256
    """How many signals a listener may lag behind."""
    write_to_lids: bool = True
    """Do messages go to a person's LID where it is known, whichever address the caller gives?"""

    def __post_init__(self) -> None:
        if self.keep_sent < timedelta(days=14):
            raise ValueError("sent messages are kept for at least 14 days, so that resends always work")
