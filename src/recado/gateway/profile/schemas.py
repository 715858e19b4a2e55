"""The JSON of the account's own profile and settings."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, model_validator

MOST_BYTES = 512 * 1024
_JPEG = b"\xff\xd8\xff"


class Privacy(BaseModel):
    """Who sees what; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")
    last: Literal["all", "contacts", "contact_blacklist", "none"] | None = None
    online: Literal["all", "match_last_seen"] | None = None
    profile: Literal["all", "contacts", "contact_blacklist", "none"] | None = None
    status: Literal["all", "contacts", "contact_blacklist", "none"] | None = None
    readreceipts: Literal["all", "none"] | None = None
    groupadd: Literal["all", "contacts", "contact_blacklist"] | None = None
    calladd: Literal["all", "known"] | None = None
    messages: Literal["all", "contacts"] | None = None
    defense: Literal["on_standard", "off"] | None = None
    stickers: Literal["contacts", "contact_allowlist", "none"] | None = None


class ProfileForm(BaseModel):
    """What the account is to show, and to whom; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")
    name: str | None = Field(default=None, min_length=1, max_length=25, description="What it calls itself")
    about: str | None = Field(default=None, max_length=139)
    default_timer: Literal[0, 86400, 604800, 7776000] | None = Field(
        default=None, description="The seconds after which messages of new chats disappear; 0 is never"
    )
    privacy: Privacy | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_dump(exclude_none=True):
            raise ValueError("say what is to be different")
        if self.name is not None and not self.name.isprintable():
            raise ValueError("a name has printable characters")
        return self


class PictureForm(BaseModel):
    """A picture to be shown: a JPEG, square, best of 640 by 640."""

    model_config = ConfigDict(extra="forbid")
    jpeg: Base64Bytes = Field(max_length=MOST_BYTES, description="In base64; up to 512 KiB")

    @model_validator(mode="after")
    def _is_jpeg(self) -> Self:
        if not self.jpeg.startswith(_JPEG):
            raise ValueError("a picture is a JPEG")
        return self


class PersonForm(BaseModel):
    """Of whom something is to be told."""

    model_config = ConfigDict(extra="forbid")
    who: str = Field(description="A number with its country code, or an address")
