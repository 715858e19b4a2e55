"""The JSON of credentials, one form a provider: what is asked for, checked, and what is shown of it afterwards."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from recado.gateway.connections.credentials import Shown
from recado.gateway.providers.credentials import Credentials, MetaCredentials, ZapiCredentials
from recado.gateway.providers.roads import META, ZAPI
from recado.gateway.refusals import BadContent, NotFound

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,128}$")]
Number = Annotated[str, Field(pattern=r"^[0-9]{1,32}$")]
Secret = Annotated[str, Field(pattern=r"^[!-~]{1,2048}$")]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MetaForm(_Form):
    """A number of the official Cloud API."""

    phone_number_id: Number = Field(description="The id of the number, not the number")
    waba_id: Number = Field(description="The id of the WhatsApp Business Account")
    access_token: Secret
    app_secret: Secret | None = Field(default=None, description="Proves webhooks; left out with `shared`")
    verify_token: Secret | None = Field(default=None, description="Asked for by Meta once; left out, one is made")
    graph_version: Annotated[str, Field(pattern=r"^v[0-9]{1,3}\.[0-9]{1,2}$")] | None = None
    shared: bool = Field(default=False, description="The operator's own app receives for this number")

    def read(self) -> MetaCredentials:
        """The value. Raises BadContent."""
        if not self.shared and self.app_secret is None:
            raise BadContent("the app's secret is needed: webhooks are proven by it")
        return MetaCredentials(
            phone_number_id=self.phone_number_id,
            waba_id=self.waba_id,
            access_token=self.access_token,
            app_secret="" if self.shared else self.app_secret or "",
            verify_token="" if self.shared else self.verify_token or "",
            graph_version=self.graph_version,
            is_shared=self.shared,
        )


class ZapiForm(_Form):
    """An instance of Z-API."""

    instance_id: Name
    token: Secret = Field(description="The instance's")
    client_token: Secret = Field(description="The account's security token")
    code_for: Number | None = Field(
        default=None, description="Link the phone of this number by a code to enter there, rather than by a QR code"
    )

    def read(self) -> ZapiCredentials:
        """The value."""
        return ZapiCredentials(self.instance_id, self.token, self.client_token, self.code_for or "")


FORMS: dict[str, type[MetaForm] | type[ZapiForm]] = {META: MetaForm, ZAPI: ZapiForm}
"""What each provider asks for."""


def read_form(provider: str, form: MetaForm | ZapiForm) -> Credentials:
    """The credentials of a form, which must be this provider's. Raises NotFound, BadContent."""
    if provider not in FORMS:
        raise NotFound
    if not isinstance(form, FORMS[provider]):
        raise BadContent("these are the credentials of another provider")
    return form.read()


class CredentialsTold(BaseModel):
    """What may be shown: never a secret, but its last characters."""

    provider: str
    is_set: bool
    hint: dict[str, Any] | None
    updated_at: datetime | None
    webhook_path: str | None = Field(description="The secret path, on this gateway, that the provider is to call")
    verify_token: str | None = Field(description="Only in the answer that made one: type it in at Meta's")

    @classmethod
    def of(cls, shown: Shown) -> CredentialsTold:
        """Credentials as they are told."""
        return cls(
            provider=shown.provider,
            is_set=shown.hint is not None,
            hint=shown.hint,
            updated_at=shown.updated_at,
            webhook_path=shown.webhook_path,
            verify_token=shown.verify_token,
        )
