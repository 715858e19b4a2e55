"""
The bytes that are not words: what kind of value follows, and the limits of each kind (docs/protocol/wire.md).

Shared by the encoder and the decoder, which stay strangers otherwise.
"""

from __future__ import annotations

LIST_EMPTY = 0
DICTIONARY_0 = 236
INTEROP_JID = 245
FB_JID = 246
AD_JID = 247
LIST_8 = 248
LIST_16 = 249
JID_PAIR = 250
HEX_8 = 251
BINARY_8 = 252
BINARY_20 = 253
BINARY_32 = 254
NIBBLE_8 = 255

PACKED_MAX = 127
"""The longest string that is packed two characters to a byte."""

LIST_MAX = 65535
"""The most items a list can say it has."""

DEPTH_MAX = 64
"""How deep nodes may nest; stanzas seen on the wire nest about eight deep."""

NODES_MAX = 1_000_000
"""How many nodes one frame may hold; a busy account's whole list of groups is about a tenth of this."""

DOMAINS = {0: "s.whatsapp.net", 1: "lid", 128: "hosted", 129: "hosted.lid"}
"""The server of a device's address, by its domain byte."""

MESSENGER = "msgr"
INTEROP = "interop"
