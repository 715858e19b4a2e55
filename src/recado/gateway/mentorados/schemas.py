"""The JSON of mentorados and API keys."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from recado.gateway.mentorados.repository import ApiKey, Mentorado


class NewMentorado(BaseModel):
    """A mentorado to be made."""

    model_config = ConfigDict(extra="forbid")
    name: str


class MentoradoTold(BaseModel):
    """A mentorado."""

    id: UUID
    name: str
    created_at: datetime

    @classmethod
    def of(cls, mentorado: Mentorado) -> MentoradoTold:
        """A mentorado as it is told."""
        return cls(id=mentorado.id, name=mentorado.name, created_at=mentorado.created_at)


class MentoradoPage(BaseModel):
    """Mentorados, the oldest first; `next` goes into `after` for the page behind, None at the end."""

    items: list[MentoradoTold]
    next: str | None


class NewApiKey(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(extra="forbid")
    name: str = ""
    scopes: list[Literal["read", "send", "manage"]] = Field(default=["read", "send", "manage"], min_length=1)
    expires_at: AwareDatetime | None = Field(None, description="It opens nothing from then on")


class NewAdminKey(BaseModel):
    """An administrator's key to be made."""

    model_config = ConfigDict(extra="forbid")
    name: str = ""
    expires_at: AwareDatetime | None = Field(None, description="It opens nothing from then on")


class Rotation(BaseModel):
    """How a key is to be replaced."""

    model_config = ConfigDict(extra="forbid")
    grace_seconds: int = Field(24 * 3600, ge=0, le=30 * 24 * 3600, description="How long the one before still works")


class ApiKeyTold(BaseModel):
    """What is kept of a key."""

    id: UUID
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    revoked_at: datetime | None
    expires_at: datetime | None
    replaced_by: UUID | None = Field(description="The key that was made in its place")
    last_used_at: datetime | None = Field(description="To the hour")

    @classmethod
    def of(cls, key: ApiKey) -> ApiKeyTold:
        """A key as it is told."""
        return cls(
            id=key.id,
            name=key.name,
            prefix=key.prefix,
            scopes=key.scopes,
            created_at=key.created_at,
            revoked_at=key.revoked_at,
            expires_at=key.expires_at,
            replaced_by=key.replaced_by,
            last_used_at=key.last_used_at,
        )


class ApiKeyMade(ApiKeyTold):
    """A new key with its token, which is told this once."""

    token: str


class MentoradoMade(MentoradoTold):
    """A new mentorado with its first key."""

    api_key: ApiKeyMade


class ApiKeyPage(BaseModel):
    """A mentorado's keys, revoked ones too."""

    items: list[ApiKeyTold]
