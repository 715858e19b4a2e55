"""
What can change in a channel. Values without a client inside; told by `recado.events.NewsletterChanged`.
"""

from __future__ import annotations

from enum import StrEnum


class NewsletterChange(StrEnum):
    """What changed in a channel, or between it and us."""

    FOLLOWED = "followed"  # by this account, on another of its devices
    UNFOLLOWED = "unfollowed"
    MUTED = "muted"
    UNMUTED = "unmuted"
    NAME = "name"
    DESCRIPTION = "description"
    PROMOTED = "promoted"
    DEMOTED = "demoted"
    STATE = "state"  # active, suspended, deleted, …
    OTHER = "other"
