"""The JSON of how chats and messages are shown on the account's own devices."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from recado.gateway.conversations.schemas import LabelTold

_ID = r"^[0-9A-Za-z._:-]{1,64}$"


class ChatForm(BaseModel):
    """How a conversation is to be shown; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")
    archived: bool | None = Field(default=None, description="Put away; this takes it off the top, too")
    pinned: bool | None = Field(default=None, description="On top of the list")
    muted_until: AwareDatetime | Literal["forever"] | None = Field(
        default=None, description="Silent until then, or for good; `null` lets it be heard again"
    )
    unread: bool | None = Field(default=None, description="Marked as unread, or as read; its authors hear nothing")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("say what is to be different")
        return self


class ClearForm(BaseModel):
    """How a conversation is to be emptied on the account's devices."""

    model_config = ConfigDict(extra="forbid")
    keep_starred: bool = True


class StarForm(BaseModel):
    """A star, or none."""

    model_config = ConfigDict(extra="forbid")
    starred: bool = True


class LabelForm(BaseModel):
    """What a label is called, and the number of its colour."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=100)
    color: int = Field(default=0, ge=0, le=19)


class PlacementForm(BaseModel):
    """A label on a conversation, or on one of its messages, or not any more."""

    model_config = ConfigDict(extra="forbid")
    label: str = Field(pattern=_ID, description="The label's id")
    message_id: str | None = Field(default=None, description="On this message; left out: on the conversation")
    labeled: bool = True


class LabelList(BaseModel):
    """The labels of an account."""

    items: list[LabelTold]
