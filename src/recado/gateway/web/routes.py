"""
The pages: signing in, the mentorados, and one mentorado with its connection card and conversations. Rendered here, kept
live by scripts that fetch the same pages again; every text goes through the templates' escaping.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, urlsplit
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Form, Request
from fastapi.responses import RedirectResponse, Response

from recado.errors import CloseReason
from recado.events import ConnectionState
from recado.gateway.callers import Caller, identifier, owner
from recado.gateway.connections import repository as connections
from recado.gateway.connections.schemas import told
from recado.gateway.connections.service import BAILEYS
from recado.gateway.conversations import repository as conversations
from recado.gateway.conversations.abouts import Marks, list_marks
from recado.gateway.cursors import cursor, number_cursor
from recado.gateway.groups import service as groups
from recado.gateway.mentorados import repository, service
from recado.gateway.pictures import repository as pictures
from recado.gateway.problems import TABLE, Problem
from recado.gateway.providers.roads import PRIORITY, ROADS
from recado.gateway.refusals import Forbidden, NotFound, Refusal, Unauthenticated
from recado.gateway.security import MANAGE, READ, SEND, prefix_of
from recado.gateway.web import demo, moving, operations
from recado.gateway.web.assets import answer_asset, load_assets
from recado.gateway.web.composer import find_composer
from recado.gateway.web.pages import render
from recado.gateway.web.session import COOKIE, Sessions, set_cookie
from recado.gateway.web.visitors import SignInNeeded, page_caller
from recado.gateway.web.words import COOKIE as LANGUAGE_COOKIE
from recado.gateway.web.words import LANGUAGES, language_of, words_beginning

router = APIRouter(include_in_schema=False)
_assets = load_assets()
_PAGE = 60
_YEAR = 365 * 24 * 3600


async def form_caller(request: Request, csrf: Annotated[str, Form()] = "") -> Caller:
    """Whose session a form was sent in, with the token of its page. Raises SignInNeeded, Forbidden."""
    sessions: Sessions = request.app.state.gateway.sessions
    cookie = request.cookies.get(COOKIE, "")
    if not sessions.is_token_of(cookie, csrf):
        raise Forbidden("the page's token is missing; load the page again")
    database = request.app.state.gateway.database
    try:
        principal = await sessions.principal(database, cookie)
    except Unauthenticated:
        raise SignInNeeded from None
    return Caller(database, principal, lambda: sessions.principal(database, cookie))


@router.get("/static/{name}")
async def static(request: Request, name: str) -> Response:
    """Our own scripts and styles."""
    asset = _assets.get(name)
    if asset is None:
        raise NotFound
    return answer_asset(request, asset)


@router.get("/sign-in")
async def sign_in_page(request: Request, token: str | None = None, next: str = "/") -> Response:
    """Ask for a key; with the token of a one-time link, sign in at once."""
    if token is None:
        return render(request, "sign_in.html", next=_local(next))
    prefix = request.app.state.gateway.sessions.take_link(token)
    if prefix is None:
        return render(request, "sign_in.html", status=403, next="/", problem="sign_in.link_over")
    return _signed_in(request, prefix, "/")


@router.post("/sign-in")
async def sign_in(request: Request, key: Annotated[str, Form()] = "", next: Annotated[str, Form()] = "/") -> Response:
    """Exchange a key for a session."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Forbidden
    try:
        await service.authenticate(request.app.state.gateway.database, key.strip())
    except Unauthenticated:
        return render(request, "sign_in.html", status=403, next=_local(next), problem="sign_in.wrong")
    return _signed_in(request, prefix_of(key.strip()) or "", _local(next))


@router.post("/sign-out")
async def sign_out(caller: Annotated[Caller, Depends(form_caller)]) -> Response:
    """End the session of this browser."""
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


@router.get("/language/{code}")
async def language(request: Request, code: str, next: str = "/") -> Response:
    """Remember the language."""
    if code not in LANGUAGES:
        raise NotFound
    answer = RedirectResponse(_local(next), 303)
    answer.set_cookie(LANGUAGE_COOKIE, code, max_age=_YEAR, path="/", samesite="lax", secure=_is_secure(request))
    return answer


@router.get("/")
async def home(request: Request, caller: Annotated[Caller, Depends(page_caller)]) -> Response:
    """The mentorados of an administrator; a mentorado goes straight to its own page."""
    if caller.principal.mentorado_id is not None:
        return RedirectResponse(f"/mentorados/{caller.principal.mentorado_id}", 303)
    async with caller.unit() as unit:
        found = await repository.list_mentorados(unit, limit=500)
        states: dict[UUID, dict[str, str]] = {}
        for row in await connections.list_connections(unit):
            states.setdefault(row.mentorado_id, {})[row.provider] = row.state
    return render(request, "home.html", mentorados=found, states=states, roads=PRIORITY)


@router.post("/mentorados")
async def create(
    request: Request, caller: Annotated[Caller, Depends(form_caller)], name: Annotated[str, Form()] = ""
) -> Response:
    """Make a mentorado and show its key, this once."""
    async with caller.unit() as unit:
        made = await service.create_mentorado(unit, name)
        _, token = await service.create_api_key(unit, mentorado_id=made.id, name="first")
    return render(request, "created.html", status=201, mentorado=made, token=token)


@router.get("/mentorados/{mentorado_id}")
async def mentorado(
    request: Request,
    mentorado_id: str,
    signed_in: Annotated[Caller, Depends(page_caller)],
    c: str | None = None,
    before: str | None = None,
) -> Response:
    """The card, the conversations, and the thread of conversation `c`."""
    caller = await owner(signed_in, mentorado_id)
    caller.principal.require(READ)
    desk, now = request.app.state.gateway.desk, request.app.state.gateway.clock.now()
    async with caller.unit() as unit:
        found = await repository.get_mentorado(unit, caller.mentorado_id)
        threads = await conversations.list_conversations(unit, limit=100)
        await pictures.want(unit, [each.id for each in threads if each.picture is None], now=now)
        open_one = await conversations.get_conversation(unit, identifier(c)) if c else None
        messages, older = [], None
        composer = await find_composer(unit, open_one, now=now)
        for_new = composer if open_one is None else await find_composer(unit, None, now=now)
        marks = {}
        if open_one is not None:
            messages = await conversations.list_messages(
                unit, open_one.id, before=number_cursor(before), limit=_PAGE + 1, with_abouts=False
            )
            if len(messages) > _PAGE:
                messages = messages[:_PAGE]
                older = cursor(messages[-1].sent_at, messages[-1].id)
            marks = await list_marks(unit, open_one.id, [message.provider_message_id for message in messages])
        is_group = open_one is not None and open_one.kind == "group"
        members = await groups.list_members(unit, open_one.id) if open_one is not None and is_group else []
        rules = await groups.find_rules(unit, open_one.id) or {} if open_one is not None and is_group else None
        connection = await connections.find_connection(unit, BAILEYS)
    language = language_of(request)
    content_words, kinds = words_beginning(language, "content."), words_beginning(language, "kind.")
    return render(
        request,
        "mentorado.html",
        mentorado=found,
        conversations=threads,
        conversation=open_one,
        messages=messages[::-1],
        older=older,
        window=composer.window if open_one is not None else None,
        composer=composer,
        new_window=for_new.window,
        marks=marks,
        members=members,
        rules=rules,
        no_marks=Marks(),
        now=now,
        roads=ROADS,
        kinds=kinds,
        preview=lambda kind: content_words.get(kind) or kinds.get(kind) or (kind and content_words["other"]) or "",
        connection=told(connection, None) if connection is not None else None,
        may_send=SEND in caller.principal.scopes,
        may_manage=MANAGE in caller.principal.scopes,
        contacts=desk.contacts() if desk is not None else [],
        may_ask_past=composer.only is None and any(ROADS[message.provider].has_past for message in messages[-1:]),
        public_url=request.app.state.gateway.settings.public_base_url,
    )


@router.get("/help/states")
async def states(request: Request) -> Response:
    """What each state and each reason means, and what to do."""
    return render(
        request, "states.html", states=list(ConnectionState), reasons=[reason.name.lower() for reason in CloseReason]
    )


@router.get("/problems/{kind}")
async def problem(request: Request, kind: str) -> Response:
    """What a problem's type means."""
    for entry in TABLE.values():
        if entry.kind == kind:
            return render(request, "problem.html", title=entry.title, detail=kind)
    for refusal in _refusals():
        if refusal.kind == kind:
            return render(request, "problem.html", title=(refusal.__doc__ or "").strip(), detail=kind)
    raise NotFound


def add_pages(app: FastAPI, *, has_desk: bool) -> None:
    """Add the pages, and, for the demo, its simulated phones."""
    app.include_router(router)
    app.include_router(operations.router)
    app.include_router(moving.router)
    if has_desk:
        app.include_router(demo.router)
    app.add_exception_handler(SignInNeeded, _to_sign_in)


def page_problem(request: Request, problem: Problem, detail: str) -> Response | None:
    """An error as a page, where a page was asked for."""
    is_page = not request.url.path.startswith(("/v1/", "/demo/"))
    if not is_page or "text/html" not in request.headers.get("accept", ""):
        return None
    return render(request, "problem.html", status=problem.status, title=problem.title, detail=detail)


async def _to_sign_in(request: Request, error: Exception) -> Response:
    where = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse("/sign-in" if where == "/" else f"/sign-in?next={quote(where, safe='')}", 303)


def _signed_in(request: Request, prefix: str, next: str) -> Response:
    answer = RedirectResponse(next, 303)
    cookie = request.app.state.gateway.sessions.begin(prefix)
    answer.headers.append("set-cookie", set_cookie(cookie, is_secure=_is_secure(request)))
    return answer


def _local(path: str) -> str:
    """Only a path of our own: `//host` and `/\\host` leave."""
    fine = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if fine else "/"


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


def _refusals() -> list[type[Refusal]]:
    return Refusal.__subclasses__()
