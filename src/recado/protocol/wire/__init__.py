"""
WhatsApp's wire: frames, the flags before a frame's body, and the binary form of nodes. docs/protocol/wire.md tells it.

Pure functions over bytes; only `FrameReader` has state. It knows no stanza: what a node means is decided above.
"""
