"""
The only place where the gateway's parts are wired: `open_gateway` opens them in order and closes them backwards,
`create_app` puts HTTP in front. Whom WhatsApp is, and the clock, are given here, at the root.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from fastapi import FastAPI
from pydantic import SecretStr
from starlette.middleware.cors import CORSMiddleware

from recado.clock import Clock, SystemClock
from recado.gateway.campaigns import routes as campaigns
from recado.gateway.channels import routes as channels
from recado.gateway.chats import routes as chats
from recado.gateway.connections import provider_routes
from recado.gateway.connections import routes as connections
from recado.gateway.consent import routes as consents
from recado.gateway.contacts import routes as contacts
from recado.gateway.conversations import routes as conversations
from recado.gateway.db.embedded import EmbeddedPostgres
from recado.gateway.db.migrate import migrate
from recado.gateway.db.pool import Database
from recado.gateway.db.vault import Vault
from recado.gateway.egress import Egress, Policy
from recado.gateway.groups import routes as groups
from recado.gateway.leads import routes as leads
from recado.gateway.master_keys import load_master_keys
from recado.gateway.media import routes as media
from recado.gateway.media.fetchers import AddressFetcher, Fetcher, MetaFetcher
from recado.gateway.media.fetching import MediaFetching
from recado.gateway.media.files import Files
from recado.gateway.media.outbound import meta_files, web_files, zapi_files
from recado.gateway.media.places import open_storages
from recado.gateway.mentorados import repository, service
from recado.gateway.mentorados import routes as mentorados
from recado.gateway.monitoring import routes as monitoring
from recado.gateway.monitoring.requests import Requests
from recado.gateway.moving import routes as moving
from recado.gateway.openapi import describe_problems
from recado.gateway.operations import routes as operations
from recado.gateway.pacing import routes as guardrails
from recado.gateway.people import routes as people
from recado.gateway.pictures import routes as pictures
from recado.gateway.problems import add_problems
from recado.gateway.profile import routes as profile
from recado.gateway.providers.baileys.adapter import shown_as, whatsapp_web
from recado.gateway.providers.baileys.files import RunningClients, WebFetcher, WebFiles
from recado.gateway.providers.baileys.pages import pages_through
from recado.gateway.providers.baileys.version import CurrentVersion
from recado.gateway.providers.meta import receiving as meta_webhooks
from recado.gateway.providers.meta.adapter import MetaOptions, meta
from recado.gateway.providers.meta.receiving import MetaReceiving
from recado.gateway.providers.provider import MakeProvider
from recado.gateway.providers.zapi import receiving as zapi_callbacks
from recado.gateway.providers.zapi.adapter import ZapiOptions, zapi
from recado.gateway.requests import routes as requests
from recado.gateway.runtime.campaigns import feeding_campaigns
from recado.gateway.runtime.deliveries import Deliveries
from recado.gateway.runtime.moving import moving_people
from recado.gateway.runtime.retention import Retention
from recado.gateway.runtime.worker import Worker
from recado.gateway.security import Principal
from recado.gateway.settings import Settings
from recado.gateway.stream import routes as stream
from recado.gateway.stream.broadcast import Broadcasts
from recado.gateway.web import routes as web
from recado.gateway.web.desk import Desk
from recado.gateway.web.guard import Guard
from recado.gateway.web.session import Sessions
from recado.gateway.webhooks import routes as webhooks
from recado.server import WHATSAPP, Server


@dataclass(frozen=True, slots=True)
class Gateway:
    """The open parts. `new_admin_key` is the administrator's first key, when it was made just now: show it once."""

    settings: Settings
    server: Server
    clock: Clock
    database: Database
    vault: Vault
    worker: Worker
    broadcasts: Broadcasts
    egress: Egress
    meta: MetaReceiving
    files: Files
    sessions: Sessions
    desk: Desk | None
    new_admin_key: str | None = field(repr=False)

    async def admin_prefix(self) -> str | None:
        """The prefix of an administrator's key that works, for a one-time link."""
        async with self.database.unit(Principal.admin("start")) as unit:
            keys = await repository.list_admin_keys(unit)
        return next((key.prefix for key in keys if key.is_live(self.clock.now())), None)


@asynccontextmanager
async def open_gateway(
    settings: Settings, server: Server = WHATSAPP, *, clock: Clock | None = None, desk: Desk | None = None
) -> AsyncIterator[Gateway]:
    """
    Everything running: the database (an embedded one unless a URL is set), its migrations applied, and every account
    that is wanted coming back. Raises StoreUnavailable, UsageError.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        dsn = await _database_url(settings, stack)
        await asyncio.to_thread(migrate, _secret(settings.database_owner_url) or dsn)
        masters = load_master_keys(_secret(settings.master_key), settings.master_key_file)
        database = await stack.enter_async_context(
            Database(
                dsn,
                size=settings.pool_size,
                clock=clock,
                poll_seconds=settings.poll_seconds,
                guardrails=settings.guardrails,
            )
        )
        new_admin_key = await service.ensure_admin_key(database, _secret(settings.admin_key))
        vault = Vault(masters)
        files = Files(database, vault, open_storages(settings), clock=clock, most=settings.media_limit)
        egress = await stack.enter_async_context(Egress(Policy(settings.egress_allow)))
        running = RunningClients()
        providers = _providers(settings, server, database, vault, files, egress, running, clock)
        worker = await stack.enter_async_context(Worker(database, vault, providers, settings, clock=clock))
        chores = await stack.enter_async_context(asyncio.TaskGroup())
        forgetting = chores.create_task(Retention(database, settings, clock=clock).run())
        stack.callback(forgetting.cancel)
        await stack.enter_async_context(feeding_campaigns(database, clock=clock))
        await stack.enter_async_context(moving_people(database, clock=clock))
        broadcasts = await stack.enter_async_context(Broadcasts(database, vault, clock=clock))
        await stack.enter_async_context(
            Deliveries(database, vault, egress, clock=clock, poll_seconds=settings.poll_seconds)
        )
        fetchers: dict[str, Fetcher] = {
            "meta": MetaFetcher(database, vault, base_url=settings.meta_base_url, version=settings.meta_graph_version),
            "zapi": AddressFetcher(egress),
            "baileys": await stack.enter_async_context(WebFetcher(server, running, most=settings.media_limit)),
        }
        await stack.enter_async_context(MediaFetching(files, fetchers, poll_seconds=settings.poll_seconds))
        receiving = await stack.enter_async_context(MetaReceiving(database, vault, settings, clock=clock))
        yield Gateway(
            settings=settings,
            server=server,
            clock=clock,
            database=database,
            vault=vault,
            worker=worker,
            broadcasts=broadcasts,
            egress=egress,
            meta=receiving,
            files=files,
            sessions=Sessions(masters, clock),
            desk=desk,
            new_admin_key=new_admin_key,
        )


def create_app(
    settings: Settings, server: Server = WHATSAPP, *, clock: Clock | None = None, desk: Desk | None = None
) -> FastAPI:
    """The HTTP application; its lifespan opens the gateway and closes it. `desk` adds the demo's simulated world."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_gateway(settings, server, clock=clock, desk=desk) as gateway:
            app.state.gateway = gateway
            yield

    app = FastAPI(
        title="recado",
        summary="WhatsApp for many mentorados, self-hosted.",
        description="Sign in with an API key: `Authorization: Bearer rk_…`. Errors are RFC 9457 problems.",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
    )
    app.router.routes[:0] = meta_webhooks.ROUTES
    app.include_router(zapi_callbacks.router)
    app.include_router(guardrails.router)
    app.include_router(mentorados.admin_keys)
    for router in (contacts.router, leads.router, people.router):
        app.include_router(router)
    for router in (mentorados.router, connections.router, conversations.router, consents.router, stream.router):
        app.include_router(router)
    app.include_router(provider_routes.router)
    app.include_router(requests.router)
    app.include_router(pictures.router)
    for asking in (groups.router, channels.router, chats.router, profile.router):
        app.include_router(asking)
    app.include_router(campaigns.router)
    app.include_router(monitoring.router)
    app.include_router(stream.own)
    app.include_router(conversations.own)
    app.include_router(webhooks.router)
    app.include_router(media.router)
    app.include_router(operations.router)
    app.include_router(moving.router)
    web.add_pages(app, has_desk=desk is not None)
    add_problems(app, web.page_problem)
    describe_problems(app)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["authorization", "content-type", "idempotency-key", "last-event-id", "prefer"],
            expose_headers=["idempotency-replayed", "retry-after"],
        )
    app.add_middleware(Guard)
    app.add_middleware(Requests)
    return app


def _providers(
    settings: Settings,
    server: Server,
    database: Database,
    vault: Vault,
    files: Files,
    egress: Egress,
    running: RunningClients,
    clock: Clock,
) -> dict[str, MakeProvider]:
    """Every road, by its name."""
    device = shown_as(
        settings.browser,
        settings.browser_os,
        full_history=settings.sync_full_history,
        version=settings.whatsapp_version,
    )
    web_provider = whatsapp_web(
        database,
        vault,
        clock=clock,
        server=server,
        device=device,
        force_identity=settings.force_identity,
        files=WebFiles(web_files(files, egress), running, pages_through(egress)),
        refresh_version=_current_version(settings, egress, clock),
    )
    hosted = ZapiOptions(settings.zapi_base_url, settings.public_base_url, settings.zapi_poll_seconds)
    official = MetaOptions(settings.meta_base_url, settings.meta_graph_version, settings.meta_poll_seconds)
    return {
        "meta": meta(database, vault, clock=clock, options=official, load_file=meta_files(files)),
        "baileys": web_provider,
        "zapi": zapi(database, vault, clock=clock, options=hosted, load_file=zapi_files(files)),
    }


async def _database_url(settings: Settings, stack: AsyncExitStack) -> str:
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    postgres = EmbeddedPostgres(settings.postgres_dir, bin_dir=settings.postgres_bin)
    dsn = await postgres.start()
    stack.push_async_callback(postgres.stop)
    return dsn


def _current_version(settings: Settings, egress: Egress, clock: Clock) -> CurrentVersion | None:
    """Who finds out the current version when ours is refused; nobody, when the operator named one."""
    if settings.whatsapp_version is not None:
        return None
    return CurrentVersion(egress, clock, page=settings.whatsapp_version_page)


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value is not None else None
