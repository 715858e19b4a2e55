"""
What an operator may set, from the environment (`RECADO_…`) or a `.env` file. Everything has a default that works on one
machine with nothing set up: without a database URL the gateway keeps a PostgreSQL of its own under `data_dir`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from recado.gateway.pacing.rules import Rules, operator_rules


class Settings(BaseSettings):
    """The gateway's settings (docs/reference/settings.md)."""

    model_config = SettingsConfigDict(env_prefix="RECADO_", env_file=".env", extra="ignore", populate_by_name=True)

    data_dir: Path = Path(".run")
    """Where the embedded database and the master key file live."""

    database_url: SecretStr | None = Field(
        None, validation_alias=AliasChoices("RECADO_DATABASE_URL", "DATABASE_URL", "database_url")
    )
    """PostgreSQL to work with; unset: an embedded one. Its user must be a member of the role recado_app."""

    database_owner_url: SecretStr | None = None
    """The same database as the user that owns the tables, for migrations; unset: `database_url`."""

    postgres_bin: Path | None = None
    """Where initdb and postgres are, for the embedded database; unset: they are searched for."""

    pool_size: int = Field(10, ge=2, le=200)
    """Database connections this process may hold."""

    master_key: SecretStr | None = None
    """32 bytes in hexadecimal that wrap every mentorado's data key, or several, with commas: the first wraps, all
    open; unset: a key file under `data_dir`."""

    admin_key: SecretStr | None = None
    """The administrator's API key; unset: one is made at the first start and shown once."""

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)

    cors_origins: list[str] = []
    """Other sites that may embed the connection card or call the API from a browser: `["https://example.org"]`."""

    egress_allow: list[str] = []
    """Networks and names that webhooks may also be posted to, beside the public internet: `["10.0.0.0/8"]`."""

    whatsapp_url: str | None = None
    """The WhatsApp Web server; unset: WhatsApp's own. With `whatsapp_root`, for an emulator."""

    whatsapp_root: str | None = None
    """The public root key of that server's certificates: 64 hexadecimal digits."""

    whatsapp_files_host: str | None = None
    """The host (and port) that files come from, when it is an emulator."""

    whatsapp_files_ca: Path | None = None
    """A PEM file with the certificate authority of that host."""

    whatsapp_proxy: SecretStr | None = None
    """An HTTP proxy to reach WhatsApp Web and its files through, by CONNECT: `http://user:password@host:3128`."""

    whatsapp_version: str | None = Field(None, pattern=r"^2\.3000\.\d{6,12}$")
    """The version of WhatsApp Web to be (`2.3000.1043857760`), and no other; unset: ours, and when that is refused the
    one that `whatsapp_version_page` names."""

    whatsapp_version_page: str = "https://web.whatsapp.com/sw.js"
    """Where the current version is read when ours is refused."""

    public_base_url: str | None = None
    """Where this gateway is seen from outside (`https://gateway.example.org`), for providers that call it back."""

    meta_base_url: str = "https://graph.facebook.com"
    """Where the official Cloud API is; another address is for an emulator or a proxy of the operator's."""

    meta_graph_version: str = Field("v26.0", pattern=r"^v\d{1,3}\.\d{1,2}$")
    """The version of Meta's Graph API that is spoken; a mentorado's credentials may name another."""

    meta_app_secret: SecretStr | None = None
    """The secret of the operator's own Meta app, which receives for every mentorado who shares it."""

    meta_verify_token: SecretStr | None = None
    """What Meta repeats when it verifies that app's webhook."""

    meta_poll_seconds: float = Field(60.0, gt=0.0)
    """How often a number's health is asked for at Meta."""

    webhook_body_limit: int = Field(4 * 1024 * 1024, ge=65_536)
    """How many bytes a provider's webhook may have."""

    zapi_base_url: str = "https://api.z-api.io"
    """Where Z-API is; another address for an emulator."""

    zapi_poll_seconds: float = Field(30.0, gt=0.0)
    """How often an instance of Z-API is asked where it stands, beside what it tells by itself."""

    lease_seconds: float = Field(30.0, ge=3.0)
    """How long a silent worker keeps its accounts."""

    lease_margin_seconds: float = Field(5.0, ge=0.5)
    """How long before that the worker itself lets go."""

    poll_seconds: float = Field(5.0, gt=0.0)
    """How often to look without having been told to; hints make it faster than this."""

    worker_weight: float = Field(1.0, gt=0.0)
    """This process's part of the accounts, against the other processes': 2 takes twice as many as 1."""

    restore_at_once: int = Field(50, ge=1)
    """How many accounts are being connected at one time, at a start or a take-over."""

    rebalance_after_seconds: float = Field(5.0, ge=0.0)
    """How long a process has more than its part before it gives any back."""

    rebalance_a_second: int = Field(5, ge=1)
    """How many accounts a process gives back each second, while it has more than its part."""

    handover_seconds: float = Field(6.0, gt=0.0)
    """How long handing over may take when the process ends; what is not closed by then is cut short."""

    one_link_at_a_time: bool = True
    """Link new accounts one mentorado at a time."""

    baileys_enable_logging: bool = Field(
        False, validation_alias=AliasChoices("BAILEYS_ENABLE_LOGGING", "baileys_enable_logging")
    )
    """Log the outlines of stanzas: tags and attribute names, never a text, a number or a key."""

    browser: str = Field("Desktop", min_length=1, max_length=40)
    """The browser that linked devices say they are; leave it as it was when they were linked."""

    browser_os: str = Field("Mac OS", min_length=1, max_length=40)
    """The system they say it runs on; as above."""

    force_identity: bool = False
    """Connect accounts as this browser though they were linked as another; once, then take it out again."""

    sync_full_history: bool = Field(
        False, validation_alias=AliasChoices("SYNC_FULL_HISTORY", "RECADO_SYNC_FULL_HISTORY", "sync_full_history")
    )
    """Ask the phone for the full history when linking, rather than the recent one."""

    guardrails: Annotated[Rules, NoDecode, BeforeValidator(operator_rules)] = Rules()
    """What may be sent, and when: a JSON object of changes to the defaults, `relaxed`, or `off`."""

    retain_events_days: int = Field(90, ge=0)
    """How long events can be replayed; those an active webhook has not had yet stay longer, and those a paused or
    disabled one has not had twice as long. 0: for ever."""

    retain_payloads_days: int = Field(30, ge=0)
    """How long the raw bytes beside messages and events are kept. Messages themselves stay. 0: for ever."""

    retain_media_days: int = Field(0, ge=0)
    """How long files of messages are kept. 0: for ever, as the messages."""

    media_limit: int = Field(100 * 1024 * 1024, ge=1024)
    """How many bytes a file may have, on its way in and out."""

    media_dir: Path | None = None
    """Where files are; unset: `media` under `data_dir`. Several processes share one folder, or use S3."""

    media_s3_bucket: str | None = None
    """Keep new files in this bucket of an S3-compatible storage instead of a folder."""

    media_s3_endpoint: str | None = None
    """Where that storage is (`https://s3.example.org`); unset: Amazon's."""

    media_s3_region: str = "us-east-1"

    media_s3_access_key: SecretStr | None = None
    """Unset: what the environment or the machine gives (the usual AWS names)."""

    media_s3_secret_key: SecretStr | None = None

    retain_outbox_days: int = Field(30, ge=0)
    """How long settled rows of the outbox, the steps of passports, dry runs and the like are kept. 0: for ever."""

    retain_backups_days: int = Field(365, ge=0)
    """How long copies of session keys are kept in the database; the newest one always is. 0: for ever."""

    metrics_public: bool = False
    """Answer /metrics without a key; only where nobody from outside can ask."""

    log_format: Literal["text", "json"] = "text"
    """How the log is written: lines for people, or a JSON object a line."""

    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    """What is worth a line."""

    @property
    def master_key_file(self) -> Path:
        """The key file used when no master key is set."""
        return self.data_dir / "master.key"

    @property
    def files_dir(self) -> Path:
        """Where files of messages are."""
        return self.media_dir or self.data_dir / "media"

    @property
    def postgres_dir(self) -> Path:
        """Where the embedded database keeps its data."""
        return self.data_dir / "postgres"
