"""Channels (WhatsApp's newsletters) over HTTP and as rows."""
