"""The JSON of connections, and the QR code as something a page can draw without trusting any markup."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import segno
from pydantic import BaseModel, Field

from recado.gateway.connections.repository import Connection
from recado.gateway.connections.service import Step


class Drawing(BaseModel):
    """A QR code: squares on a grid of `size` × `size`, as the data of one SVG path."""

    size: int
    path: str


class ConnectForm(BaseModel):
    """How to link, when there is no link yet."""

    phone: str | None = Field(
        default=None, pattern=r"^\+?[1-9][0-9]{7,14}$", description="Show a code to type on this phone, and no QR"
    )


class PasskeyForm(BaseModel):
    """What the browser gave for the passkey."""

    assertion: dict[str, Any] = Field(description="What the script on WhatsApp's page gave: a WebAuthn assertion")


class NumberForm(BaseModel):
    """A decision about the other number that is held."""

    keep: bool = Field(description="It is the same mentorado's new number; else it is refused")


class StepTold(BaseModel):
    """
    What a person is to do before `expires_at`: scan the QR, type the code, sign the WebAuthn options in `text` on
    WhatsApp's own page, or decide about the number in `text`.
    """

    kind: str = Field(description="qr, code, passkey or held")
    text: str
    expires_at: datetime
    drawing: Drawing | None = None


class ConnectionTold(BaseModel):
    """One connection: what is wanted, what is, why, and when the next attempt is due."""

    provider: str
    desired: str
    state: str
    state_at: datetime
    reason: str | None
    retry_at: datetime | None
    account: str | None = Field(description="The linked phone number")
    history: int | None = Field(default=None, description="How much of its past the phone has told, 0 to 100")
    history_at: datetime | None = Field(default=None, description="When the last part of it was recorded")
    step: StepTold | None = None


class ConnectionPage(BaseModel):
    """The mentorado's connections."""

    items: list[ConnectionTold]


def told(connection: Connection, step: StepTold | None) -> ConnectionTold:
    """A connection as it is told; `step` only to who may manage it."""
    return ConnectionTold(
        provider=connection.provider,
        desired=connection.desired,
        state=connection.state,
        state_at=connection.state_at,
        reason=connection.reason,
        retry_at=connection.retry_at,
        account=connection.account_phone,
        history=connection.history_progress,
        history_at=connection.history_at,
        step=step,
    )


def untouched(provider: str, mentorado: UUID, now: datetime) -> ConnectionTold:
    """A connection nobody has asked for yet."""
    return ConnectionTold(
        provider=provider,
        desired="disconnected",
        state="disconnected",
        state_at=now,
        reason=None,
        retry_at=None,
        account=None,
    )


async def drawn(step: Step) -> StepTold:
    """A step with its QR code drawn, in a thread: it takes 17 ms."""
    drawing = await asyncio.to_thread(_draw, step.text) if step.kind == "qr" else None
    return StepTold(kind=step.kind, text=step.text, expires_at=step.expires_at, drawing=drawing)


@lru_cache(maxsize=64)
def _draw(text: str) -> Drawing:
    matrix = segno.make_qr(text, error="l").matrix
    runs: list[str] = []
    for y, row in enumerate(matrix):
        start = None
        for x, module in enumerate([*row, 0]):
            if module and start is None:
                start = x
            elif not module and start is not None:
                runs.append(f"M{start} {y}h{x - start}v1H{start}z")
                start = None
    return Drawing(size=len(matrix), path="".join(runs))
