"""
Message templates: made and deleted over the API, judged by an operator here (PENDING until then, unless
`judges_at_once`), paused and disabled by quality. A send names one by name and language and must fill exactly its
parameters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from recado.emulator.meta.errors import GraphError, malformed, missing
from recado.emulator.meta.world import Waba

if TYPE_CHECKING:
    from recado.emulator.meta.cloud import MetaCloud

State = Literal["PENDING", "APPROVED", "REJECTED", "PAUSED", "DISABLED"]
STATES: tuple[State, ...] = get_args(State)
CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
BODY_LIMIT = 1024
TEMPLATES_LIMIT = 250

_NAME = re.compile(r"[a-z0-9_]{1,512}")
_PLACE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_MEDIA = ("image", "video", "document")


@dataclass(slots=True)
class Template:
    """One template in one language."""

    id: str
    waba: Waba
    name: str
    language: str
    category: str
    components: list[dict[str, Any]]
    state: State = "PENDING"
    reason: str = "NONE"
    parameter_format: str = "POSITIONAL"
    made_at: int = 0

    def json(self) -> dict[str, Any]:
        """As the API lists it."""
        return {
            "name": self.name,
            "parameter_format": self.parameter_format,
            "components": self.components,
            "language": self.language,
            "status": self.state,
            "category": self.category,
            "quality_score": {"score": "UNKNOWN", "date": self.made_at},
            "rejected_reason": self.reason,
            "id": self.id,
        }

    def component(self, kind: str) -> dict[str, Any] | None:
        """Its header, body, footer or buttons."""
        return next((each for each in self.components if str(each.get("type")).upper() == kind), None)


class Templates:
    """All templates."""

    def __init__(self, cloud: MetaCloud) -> None:
        self._cloud = cloud
        self.judges_at_once: State = "PENDING"
        self.all: dict[str, Template] = {}

    def of(self, waba: Waba) -> list[Template]:
        """Those of an account."""
        return [each for each in self.all.values() if each.waba is waba]

    def create(self, waba: Waba, asked: dict[str, Any]) -> Template:
        """A new one, to be judged. Raises GraphError."""
        for name in ("name", "language", "category", "components"):
            if not asked.get(name):
                raise malformed(f"The parameter {name} is required.")
        name, language, category = str(asked["name"]), str(asked["language"]), str(asked["category"]).upper()
        if not _NAME.fullmatch(name):
            raise malformed("Param name must have lowercase letters, digits and underscores only.")
        if category not in CATEGORIES:
            raise malformed(f"Param category must be one of {{{', '.join(CATEGORIES)}}}.")
        if self.find(waba, name, language) is not None:
            raise GraphError(2388024)
        if len(self.of(waba)) >= TEMPLATES_LIMIT:
            raise GraphError(2388019)
        components = asked["components"]
        if not isinstance(components, list) or not all(isinstance(each, dict) for each in components):
            raise malformed("Param components must be an array of JSON objects.")
        _check(components)
        style = str(asked.get("parameter_format", "POSITIONAL")).upper()
        template = Template(
            self._cloud.ids.digits(), waba, name, language, category, components, parameter_format=style
        )
        template.made_at = int(self._cloud.clock.now().timestamp())
        self.all[template.id] = template
        if self.judges_at_once != "PENDING":
            self.judge(template, self.judges_at_once)
        return template

    def add(
        self,
        waba: Waba,
        name: str,
        body: str,
        *,
        language: str = "pt_BR",
        category: str = "UTILITY",
        state: State = "APPROVED",
        components: list[dict[str, Any]] | None = None,
    ) -> Template:
        """One that is there already, for tests."""
        parts = [{"type": "BODY", "text": body}, *(components or [])]
        template = Template(self._cloud.ids.digits(), waba, name, language, category, parts, state)
        template.made_at = int(self._cloud.clock.now().timestamp())
        self.all[template.id] = template
        return template

    def judge(self, template: Template, state: State, reason: str = "NONE") -> None:
        """It changes its state, and the account is told."""
        template.state, template.reason = state, reason
        value = {
            "event": state,
            "message_template_id": int(template.id),
            "message_template_name": template.name,
            "message_template_language": template.language,
            "message_template_category": template.category,
            "reason": reason,
        }
        self._cloud.webhooks.tell(template.waba, None, "message_template_status_update", value)
        self._cloud.changed()

    def find(self, waba: Waba, name: str, language: str) -> Template | None:
        """By name and language."""
        return next((each for each in self.of(waba) if (each.name, each.language) == (name, language)), None)

    def delete(self, waba: Waba, name: str, id: str | None) -> None:
        """One by id, or all languages of a name. Raises GraphError."""
        gone = [each.id for each in self.of(waba) if each.name == name and id in (None, each.id)]
        if not gone:
            raise GraphError(100, "Message template not found.", subcode=2593002)
        for each in gone:
            del self.all[each]

    def fill(self, waba: Waba, content: dict[str, Any]) -> tuple[Template, str, list[dict[str, Any]]]:
        """The template a message names, its text, and its buttons with their payloads. Raises GraphError."""
        name, language = content["name"], content["language"]["code"]
        template = self.find(waba, name, language)
        if template is None or template.state in {"PENDING", "REJECTED"}:
            raise GraphError(132001, f"template name ({name}) does not exist in {language}")
        if template.state == "PAUSED":
            raise GraphError(132015)
        if template.state == "DISABLED":
            raise GraphError(132016)
        given = {str(each.get("type", "")).lower(): each for each in content.get("components", [])}
        _fill_header(template.component("HEADER"), given.get("header", {}).get("parameters", []))
        body = template.component("BODY") or {"text": ""}
        text = _fill_text(body["text"], given.get("body", {}).get("parameters", []), "body")
        if len(text) > BODY_LIMIT:
            raise GraphError(132005)
        pressed = [each for each in content.get("components", []) if str(each.get("type", "")).lower() == "button"]
        return template, text, _buttons(template, pressed)


def _check(components: list[dict[str, Any]]) -> None:
    body = next((each for each in components if str(each.get("type")).upper() == "BODY"), None)
    if body is None:
        raise malformed("The template needs a component of type BODY.")
    if not isinstance(body.get("text", ""), str) or len(body.get("text", "")) > BODY_LIMIT:
        raise malformed(f"The body must be at most {BODY_LIMIT} characters long.")


def _fill_text(text: str, parameters: list[dict[str, Any]], where: str) -> str:
    """The text with its places filled. Raises GraphError."""
    places = list(dict.fromkeys(_PLACE.findall(text)))
    if len(parameters) != len(places):
        raise GraphError(
            132000,
            f"{where}: number of localizable_params ({len(parameters)}) does not match the expected number of params "
            f"({len(places)})",
        )
    values: dict[str, str] = {}
    for place, parameter in zip(places, parameters, strict=True):
        kind = parameter.get("type")
        if kind == "text":
            value = parameter.get("text")
        elif kind in ("currency", "date_time"):
            value = parameter.get(kind, {}).get("fallback_value")
        else:
            raise GraphError(132012, f"{where}: a parameter of type {kind} does not fit")
        if not isinstance(value, str) or not value:
            raise missing(f"template['components']['{where}']['parameters']['text']")
        if "\n" in value or "\t" in value or "     " in value:
            raise GraphError(132007, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces")
        values[str(parameter.get("parameter_name") or place)] = value
    if set(values) != set(places):
        raise GraphError(132008, f"{where}: parameters of other names are expected")
    return _PLACE.sub(lambda found: values[found.group(1)], text)


def _fill_header(header: dict[str, Any] | None, parameters: list[dict[str, Any]]) -> None:
    form = str(header.get("format", "TEXT")).lower() if header else "text"
    if form not in _MEDIA:
        _fill_text(str(header.get("text", "")) if header else "", parameters, "header")
        return
    if len(parameters) != 1:
        raise GraphError(132000, f"header: number of params ({len(parameters)}) does not match the expected number (1)")
    if parameters[0].get("type") != form:
        raise GraphError(132012, f"header: Format mismatch, expected {form.upper()}")
    file = parameters[0].get(form)
    if not isinstance(file, dict) or not ({"id", "link"} & file.keys()):
        raise missing(f"template['components']['header']['{form}']")


def _buttons(template: Template, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As the phone shows them; a quick reply keeps the payload it was sent with."""
    part = template.component("BUTTONS") or {}
    buttons = [dict(each) for each in part.get("buttons", [])]
    for each in given:
        place = int(str(each.get("index", "0"))) if str(each.get("index", "0")).isdigit() else -1
        if not 0 <= place < len(buttons):
            raise GraphError(132000, f"buttons: there is no button at index {each.get('index')}")
        for parameter in each.get("parameters", []):
            buttons[place]["payload"] = parameter.get("payload") or parameter.get("text") or ""
    for button in buttons:
        button.setdefault("text", str(button.get("type", "")))
        if (
            str(button.get("type", "")).upper() == "URL"
            and "{{" in str(button.get("url", ""))
            and "payload" not in button
        ):
            raise GraphError(132000, "buttons: a URL button needs its parameter")
    return buttons
