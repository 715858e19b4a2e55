"""Rendering: the templates with everything escaped, the person's language, and the session's token for forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from recado.gateway.web.session import COOKIE
from recado.gateway.web.words import LANGUAGES, language_of, words_in

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page as an answer."""
    gateway = request.app.state.gateway
    language = language_of(request)
    cookie = request.cookies.get(COOKIE)
    query = f"?{request.url.query}" if request.url.query and "token=" not in request.url.query else ""
    page = _templates.get_template(template).render(
        t=words_in(language),
        language=language,
        languages=LANGUAGES,
        here=request.url.path + query,
        csrf=gateway.sessions.token(cookie) if cookie else "",
        is_signed_in=cookie is not None,
        is_demo=gateway.desk is not None,
        **{"problem": None, **values},
    )
    return HTMLResponse(page, status)
