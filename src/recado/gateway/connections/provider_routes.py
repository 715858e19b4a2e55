"""Which road carries what is sent, over HTTP, and the credentials of those that are connected by them."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from recado.gateway.callers import Manager, Reader, documented
from recado.gateway.connections import choosing, credentials
from recado.gateway.connections.choosing import Weighed
from recado.gateway.connections.credential_schemas import CredentialsTold, MetaForm, ZapiForm, read_form
from recado.gateway.providers.roads import ROADS

router = APIRouter(prefix="/v1/mentorados/{mentorado_id}", tags=["connections"], dependencies=[documented])


class CandidateTold(BaseModel):
    """One road: where it stands, and what it carries."""

    provider: str
    standing: str = Field(description="connected, expected, not_wanted or never_connected")
    state: str
    reason: str | None
    carries: list[str] = Field(description="The kinds of content")


class ProviderTold(BaseModel):
    """The road that would carry a message now, and why."""

    provider: str | None = Field(description="None: nothing can be sent now")
    because: str = Field(
        description="pinned, pinned_and_not_connected, first_connected, first_expected or none_connected"
    )
    pin: str | None
    candidates: list[CandidateTold]

    @classmethod
    def of(cls, weighed: Weighed) -> ProviderTold:
        """What was weighed, as it is told."""
        return cls(
            provider=weighed.chosen,
            because=weighed.because,
            pin=weighed.pin,
            candidates=[
                CandidateTold(
                    provider=each.provider,
                    standing=each.standing.value,
                    state=each.state,
                    reason=each.reason,
                    carries=sorted(ROADS[each.provider].sends),
                )
                for each in weighed.candidates
            ],
        )


class Pin(BaseModel):
    """A road that is to carry everything; none: the priority decides."""

    model_config = ConfigDict(extra="forbid")
    pin: Literal["meta", "baileys", "zapi"] | None


@router.get("/provider")
async def get_provider(caller: Reader) -> ProviderTold:
    """Which road would carry a message now, and why."""
    async with caller.unit() as unit:
        return ProviderTold.of(await choosing.weigh(unit))


@router.put("/provider")
async def pin_provider(caller: Manager, asked: Pin) -> ProviderTold:
    """Have one road carry what is sent, and no other even while that is not connected; or let the priority decide."""
    return ProviderTold.of(await caller.run(lambda unit: choosing.pin(unit, asked.pin)))


@router.get("/connections/{provider}/credentials")
async def get_credentials(request: Request, caller: Manager, provider: str) -> CredentialsTold:
    """What may be shown of the credentials, and the address the provider is to call."""
    vault = request.app.state.gateway.vault
    async with caller.unit() as unit:
        return CredentialsTold.of(await credentials.show_credentials(unit, vault, provider))


@router.put("/connections/{provider}/credentials")
async def save_credentials(
    request: Request, caller: Manager, provider: str, asked: MetaForm | ZapiForm
) -> CredentialsTold:
    """Save them, all at once; the secrets are never shown again. A connection that is wanted begins again with them."""
    vault, given = request.app.state.gateway.vault, read_form(provider, asked)
    return CredentialsTold.of(await caller.run(lambda unit: credentials.save_credentials(unit, vault, given)))


@router.delete("/connections/{provider}/credentials", status_code=204)
async def delete_credentials(caller: Manager, provider: str) -> Response:
    """Forget them, and have the address the provider calls stop working. The connection is to be disconnected first."""
    await caller.run(lambda unit: credentials.delete_credentials(unit, provider))
    return Response(status_code=204)


@router.post("/connections/{provider}/credentials/renew-webhook")
async def renew_webhook(request: Request, caller: Manager, provider: str) -> CredentialsTold:
    """Another secret address for the provider to call; the one before stops working at once."""
    vault = request.app.state.gateway.vault
    return CredentialsTold.of(await caller.run(lambda unit: credentials.renew_hook(unit, vault, provider)))
