"""The JSON of what is asked of groups."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, model_validator

from recado.gateway.groups.repository import MemberRow, ReceiptRow

MOST_PEOPLE = 1024
_TIMERS = "Seconds after which messages disappear (86400, 604800, 7776000); 0: never"
_LONGEST_SUBJECT, _LONGEST_DESCRIPTION = 100, 2048


class People(BaseModel):
    """Whom it is about."""

    model_config = ConfigDict(extra="forbid")
    people: list[str] = Field(min_length=1, max_length=MOST_PEOPLE, description="Numbers, or addresses")


class NewGroup(BaseModel):
    """A group to be made. A community has groups under it; `parent` is the conversation of one."""

    model_config = ConfigDict(extra="forbid")
    subject: str = Field(min_length=1, max_length=_LONGEST_SUBJECT)
    people: list[str] = Field(default=[], max_length=MOST_PEOPLE, description="Numbers, or addresses")
    expires_in: int = Field(default=0, ge=0, description=_TIMERS)
    is_announcement: bool = Field(default=False, description="Only admins write")
    is_locked: bool = Field(default=False, description="Only admins change name and picture")
    needs_approval: bool = Field(default=False, description="Admins let in who joins by the link")
    is_community: bool = False
    parent: str | None = Field(default=None, description="The conversation of the community it belongs to")


class GroupForm(BaseModel):
    """What is to be another: what is left out stays."""

    model_config = ConfigDict(extra="forbid")
    subject: str | None = Field(default=None, min_length=1, max_length=_LONGEST_SUBJECT)
    description: str | None = Field(default=None, max_length=_LONGEST_DESCRIPTION, description="Empty: none any more")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("say what is to change")
        return self


class RulesForm(BaseModel):
    """Rules that are to be others: what is left out stays."""

    model_config = ConfigDict(extra="forbid")
    is_announcement: bool | None = Field(default=None, description="Only admins write")
    is_locked: bool | None = Field(default=None, description="Only admins change name and picture")
    admins_add_only: bool | None = Field(default=None, description="Only admins take people in")
    needs_approval: bool | None = Field(default=None, description="Admins let in who joins by the link")
    expires_in: int | None = Field(default=None, ge=0, description=_TIMERS)


class Picture(BaseModel):
    """The picture of a group; None takes it away."""

    model_config = ConfigDict(extra="forbid")
    jpeg: Base64Bytes | None = Field(description="A square JPEG, best 640 by 640, in base64", max_length=700_000)


class Invitation(BaseModel):
    """A link to a group, or the code in it."""

    model_config = ConfigDict(extra="forbid")
    code: str = Field(min_length=1, max_length=200)


class MemberChange(People):
    """What is to be done with people of a group."""

    do: Literal["add", "remove", "promote", "demote"]


class JoinAnswers(People):
    """Whom to let in, or not."""

    do: Literal["approve", "reject"]


class Linked(BaseModel):
    """Groups that are to be under a community, or no longer."""

    model_config = ConfigDict(extra="forbid")
    conversations: list[str] = Field(min_length=1, max_length=50)
    is_linked: bool = True


class MemberTold(BaseModel):
    """Somebody in a group."""

    contact_id: UUID
    name: str | None
    phone: str | None
    lid: str | None
    role: Literal["member", "admin", "owner"]
    joined_at: datetime | None = Field(description="Empty for who was there when the group was first told")

    @classmethod
    def of(cls, row: MemberRow) -> MemberTold:
        """A row as it is told."""
        return cls(
            contact_id=row.contact_id,
            name=row.name,
            phone=row.phone,
            lid=row.lid,
            role=row.role,  # type: ignore[arg-type]
            joined_at=row.joined_at,
        )


class GroupRules(BaseModel):
    """The rules of a group, as far as they are known; `own_role` is empty when the account is not in it."""

    description: str | None = None
    is_announcement: bool | None = None
    is_locked: bool | None = None
    admins_add_only: bool | None = None
    needs_approval: bool | None = None
    expires_in: int | None = None
    is_community: bool | None = None
    parent: str | None = None
    own_role: str | None = None

    @classmethod
    def of(cls, rules: dict[str, Any]) -> GroupRules:
        """As they are kept."""
        return cls.model_validate(rules)


class MembersTold(BaseModel):
    """A group: its rules, and everybody in it but the account itself, admins first."""

    rules: GroupRules
    items: list[MemberTold]


class ReceiptTold(BaseModel):
    """How far somebody is with a message."""

    contact_id: UUID
    name: str | None
    phone: str | None
    lid: str | None
    delivered_at: datetime
    read_at: datetime | None
    played_at: datetime | None

    @classmethod
    def of(cls, row: ReceiptRow) -> ReceiptTold:
        """A row as it is told."""
        return cls(
            contact_id=row.contact_id,
            name=row.name,
            phone=row.phone,
            lid=row.lid,
            delivered_at=row.delivered_at,
            read_at=row.read_at,
            played_at=row.played_at,
        )


class ReceiptsTold(BaseModel):
    """Who of a group has a message, and who read it; of one to a person its status says so."""

    items: list[ReceiptTold]
