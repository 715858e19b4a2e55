"""The JSON of what is asked of channels."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, model_validator

_LONGEST_NAME, _LONGEST_DESCRIPTION = 128, 2048


class NewChannel(BaseModel):
    """A channel to be made."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=_LONGEST_NAME)
    description: str = Field(default="", max_length=_LONGEST_DESCRIPTION)


class ChannelForm(BaseModel):
    """What is to be another: what is left out stays."""

    model_config = ConfigDict(extra="forbid")
    name: str | None = Field(default=None, min_length=1, max_length=_LONGEST_NAME)
    description: str | None = Field(default=None, max_length=_LONGEST_DESCRIPTION, description="Empty: none any more")
    jpeg: Base64Bytes | None = Field(
        default=None, description="A square JPEG in base64; null: no picture any more", max_length=700_000
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("say what is to change")
        return self


class ChannelLink(BaseModel):
    """A link to a channel, or the code in it."""

    model_config = ConfigDict(extra="forbid")
    code: str = Field(min_length=1, max_length=200)


class Muting(BaseModel):
    """Whether its posts make no sound."""

    model_config = ConfigDict(extra="forbid")
    muted: bool = True


class PostsAsked(BaseModel):
    """Which posts: the last ones, or those before one."""

    model_config = ConfigDict(extra="forbid")
    count: int = Field(default=50, ge=1, le=100)
    before: int | None = Field(default=None, ge=0, description="The `number` of the oldest post known")


class PostReaction(BaseModel):
    """A reaction to a post, by its number."""

    model_config = ConfigDict(extra="forbid")
    number: int = Field(ge=0)
    emoji: str = Field(max_length=32, description="Empty: taken back")


class ChannelTold(BaseModel):
    """A channel, as last told."""

    description: str | None = None
    subscribers: int | None = None
    link: str | None = None
    role: str | None = Field(default=None, description="owner, admin, subscriber, guest; null: never told")
    state: str | None = Field(default=None, description="`deleted` and others, once WhatsApp said so")

    @classmethod
    def of(cls, known: dict[str, Any]) -> ChannelTold:
        """From what is kept."""
        return cls(role=known.get("own_role"), **{name: known.get(name) for name in cls.model_fields if name != "role"})
