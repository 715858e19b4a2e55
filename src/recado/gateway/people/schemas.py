"""The JSON of what is asked and told of people."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class LookUp(BaseModel):
    """Numbers to be looked up."""

    model_config = ConfigDict(extra="forbid")
    phones: list[str] = Field(min_length=1, max_length=50, description="With their country codes")


class Block(BaseModel):
    """Whom to block, or no longer."""

    model_config = ConfigDict(extra="forbid")
    who: str = Field(description="A number with its country code, or an address")
    blocked: bool = True


class Watch(BaseModel):
    """Whose coming and going is to be told."""

    model_config = ConfigDict(extra="forbid")
    who: str = Field(description="A number with its country code, or an address")


class About(BaseModel):
    """What the account says of itself."""

    model_config = ConfigDict(extra="forbid")
    about: str = Field(max_length=139)


class Rejection(BaseModel):
    """A call to be refused."""

    model_config = ConfigDict(extra="forbid")
    call: str = Field(min_length=1, max_length=100, description="The id in `call.received`")
    caller: str = Field(description="Who calls, as the event says")


class ErrandAccepted(BaseModel):
    """It is queued; events tell what comes of it."""

    id: UUID
