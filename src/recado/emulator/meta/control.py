"""
The control of the emulated Cloud API: plain HTTP beside it, for demos and tests. It only moves what a person, the
Business app or Meta's staff could, or plans a fault; everything then travels the normal road.

    GET    /                                        ready
    GET    /admin/meta                              app, secret, verify token, numbers, tokens
    POST   /admin/meta/subscribe                    {"url", "verify_token"?, "fields"?}
    POST   /admin/meta/numbers | tokens             {"display"?, "name"?, "coexistence"?} | {"permissions"?, "wabas"?}
    DELETE /admin/meta/tokens/{token}               revoked
    GET    /admin/meta/people                       POST {"name", "phone"?, "country"?}
    GET    /admin/meta/people/{person}/messages?after=N&wait=SECONDS
    POST   /admin/meta/people/{person}/say|media|location|contact|react|press|choose|read|play|offline|online|block|…
    POST   /admin/meta/numbers/{number}/quality|lock|write|history|contact|offboard|error
    GET    /admin/meta/templates                    POST /admin/meta/templates/{id} {"state", "reason"?}
    GET    /admin/meta/webhooks                     POST /admin/meta/webhook {"field", "value"}
    POST   /admin/meta/faults {"fault", "whom"?, …} GET, DELETE

`{person}` is a name, phone or user id, `{number}` an id or digits. Problems are answered {"detail"} with 4xx.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from recado.emulator.meta import moves
from recado.emulator.meta.errors import GraphError
from recado.emulator.meta.faults import Fault
from recado.emulator.meta.people import Person, Shown
from recado.emulator.meta.templates import STATES
from recado.emulator.meta.webhooks import FIELDS
from recado.emulator.meta.world import Number
from recado.errors import UsageError

if TYPE_CHECKING:
    from recado.emulator.meta.cloud import MetaCloud

Handler = Callable[[web.Request], Awaitable[web.Response]]

_LONGEST_WAIT = 60.0
_LATEST = 200


class Control:
    """The handlers, for one cloud."""

    def __init__(self, cloud: MetaCloud) -> None:
        self._cloud = cloud

    async def ready(self, request: web.Request) -> web.Response:
        """The emulator runs."""
        return _json({"status": "ready", "numbers": len(self._cloud.world.numbers)})

    async def show(self, request: web.Request) -> web.Response:
        """What a client needs to know."""
        world, subscription = self._cloud.world, self._cloud.webhooks.subscription
        return _json(
            {
                "url": self._cloud.url,
                "app_id": world.app_id,
                "app_secret": world.app_secret,
                "verify_token": world.verify_token,
                "webhook": subscription.url if subscription else None,
                "numbers": [_number(each) for each in world.numbers.values()],
                "tokens": [each.value for each in world.tokens.values() if not each.is_revoked],
                "seed": self._cloud.seed,
            }
        )

    async def subscribe(self, request: web.Request) -> web.Response:
        """Point the webhook somewhere, after the handshake."""
        asked = await _body(request)
        fields = asked.get("fields", FIELDS)
        await self._cloud.subscribe(moves.text(asked, "url"), verify_token=asked.get("verify_token"), fields=fields)
        return _json({"webhook": asked["url"]})

    async def add_number(self, request: web.Request) -> web.Response:
        """A new number in an account of its own."""
        asked = await _body(request)
        number = self._cloud.add_number(
            asked.get("display"), name=asked.get("name", "Demo"), coexistence=bool(asked.get("coexistence"))
        )
        return _json(_number(number), status=201)

    async def move_number(self, request: web.Request) -> web.Response:
        """What Meta's staff or the Business app does with a number."""
        number = self._cloud.number(request.match_info["number"])
        moves.move_number(self._cloud, number, request.match_info["move"], await _body(request))
        return _json(_number(number))

    async def add_token(self, request: web.Request) -> web.Response:
        """A new token."""
        asked = await _body(request)
        permissions, wabas = asked.get("permissions"), asked.get("wabas")
        ends = datetime.fromisoformat(asked["expires_at"]) if "expires_at" in asked else None
        token = self._cloud.world.add_token(
            permissions=None if permissions is None else set(permissions),
            wabas=None if wabas is None else set(wabas),
            expires_at=ends,
        )
        return _json({"token": token.value}, status=201)

    async def revoke_token(self, request: web.Request) -> web.Response:
        """A token is good no more."""
        token = self._cloud.world.tokens.get(request.match_info["token"])
        if token is None:
            raise LookupError("no such token")
        token.is_revoked = True
        return _json({})

    async def people(self, request: web.Request) -> web.Response:
        """Everybody."""
        return _json({"people": [_person(each) for each in self._cloud.people.values()]})

    async def add_person(self, request: web.Request) -> web.Response:
        """A new person, or the one of that name."""
        asked = await _body(request)
        name, country = moves.text(asked, "name"), asked.get("country", "BR")
        return _json(_person(self._cloud.person(name, asked.get("phone"), country=country)), status=201)

    async def messages(self, request: web.Request) -> web.Response:
        """What a phone shows behind the first `after` messages; waits up to `wait` seconds for the next."""
        person, after = self._named(request), int(request.query.get("after", "0"))
        wait = min(float(request.query.get("wait", "0")), _LONGEST_WAIT)
        if wait > 0 and len(person.messages) <= after:
            try:
                await self._cloud.until(lambda: len(person.messages) > after, "nothing came", patience=wait)
            except AssertionError:
                pass  # an empty list says so
        shown = [_message(each) for each in person.messages[after:]]
        return _json({"messages": shown, "after": len(person.messages), "repeats": person.repeats})

    async def move_person(self, request: web.Request) -> web.Response:
        """What a person does."""
        person = self._named(request)
        shown = moves.move_person(person, request.match_info["move"], await _body(request))
        return _json(_message(shown) if shown is not None else _person(person), status=201 if shown else 200)

    async def templates(self, request: web.Request) -> web.Response:
        """All templates, of all accounts."""
        return _json({"templates": [each.json() for each in self._cloud.templates.all.values()]})

    async def judge(self, request: web.Request) -> web.Response:
        """A template changes its state."""
        asked = await _body(request)
        template = self._cloud.templates.all.get(request.match_info["template"])
        if template is None:
            raise LookupError("no such template")
        wanted = moves.text(asked, "state").upper()
        state = next((each for each in STATES if each == wanted), None)
        if state is None:
            raise UsageError(f"states are {', '.join(STATES)}")
        self._cloud.templates.judge(template, state, asked.get("reason", "NONE"))
        return _json(template.json())

    async def webhooks(self, request: web.Request) -> web.Response:
        """The latest deliveries, and what nobody was subscribed to."""
        sent = [
            {"fields": each.fields, "state": each.state, "answers": each.answers, "repeat": each.is_repeat}
            for each in self._cloud.webhooks.deliveries[-_LATEST:]
        ]
        return _json({"deliveries": sent, "unheard": len(self._cloud.webhooks.unheard)})

    async def tell(self, request: web.Request) -> web.Response:
        """Any webhook at all."""
        asked = await _body(request)
        value = asked.get("value")
        if not isinstance(value, dict):
            raise UsageError("'value' is an object that must be there")
        self._cloud.tell(moves.text(asked, "field"), value, self._cloud.number(asked.get("number")))
        return _json({}, status=202)

    async def plan_fault(self, request: web.Request) -> web.Response:
        """Plan a fault, or with `chance` scatter it."""
        asked = await _body(request)
        try:
            fault = Fault(moves.text(asked, "fault"))
        except ValueError as error:
            raise UsageError(f"faults are {', '.join(Fault)}") from error
        code, seconds = int(asked.get("code", 131000)), float(asked.get("seconds", 0))
        whom, about = asked.get("whom"), asked.get("about")
        if "chance" in asked:
            chance = float(asked["chance"])
            self._cloud.faults.scatter(fault, chance, whom, code=code, seconds=seconds, about=about)
        else:
            times = int(asked.get("times", 1))
            self._cloud.faults.plan(fault, whom, times=times, code=code, seconds=seconds, about=about)
        return await self.faults(request)

    async def faults(self, request: web.Request) -> web.Response:
        """What is planned, what happened, and the seed."""
        faults = self._cloud.faults
        planned = [{"fault": each.fault, "whom": each.whom, "times": each.times} for each in faults.planned]
        return _json({"seed": faults.seed, "planned": planned, "happened": len(faults.happened)})

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Plan nothing any more."""
        self._cloud.faults.clear()
        return await self.faults(request)

    def _named(self, request: web.Request) -> Person:
        whom = request.match_info["person"]
        person = self._cloud.people.get(whom) or self._cloud.person_at(whom)
        if person is None:
            raise LookupError("no such person")
        return person


def add_control(app: web.Application, cloud: MetaCloud) -> None:
    """Add the control's routes."""
    control, router, root = Control(cloud), app.router, "/admin/meta"
    router.add_get("/", _guarded(control.ready))
    router.add_get(root, _guarded(control.show))
    router.add_post(f"{root}/subscribe", _guarded(control.subscribe))
    router.add_post(f"{root}/numbers", _guarded(control.add_number))
    router.add_post(root + "/numbers/{number}/{move}", _guarded(control.move_number))
    router.add_post(f"{root}/tokens", _guarded(control.add_token))
    router.add_delete(root + "/tokens/{token}", _guarded(control.revoke_token))
    router.add_get(f"{root}/people", _guarded(control.people))
    router.add_post(f"{root}/people", _guarded(control.add_person))
    router.add_get(root + "/people/{person}/messages", _guarded(control.messages))
    router.add_post(root + "/people/{person}/{move}", _guarded(control.move_person))
    router.add_get(f"{root}/templates", _guarded(control.templates))
    router.add_post(root + "/templates/{template}", _guarded(control.judge))
    router.add_get(f"{root}/webhooks", _guarded(control.webhooks))
    router.add_post(f"{root}/webhook", _guarded(control.tell))
    router.add_get(f"{root}/faults", _guarded(control.faults))
    router.add_post(f"{root}/faults", _guarded(control.plan_fault))
    router.add_delete(f"{root}/faults", _guarded(control.clear_faults))


def _guarded(handler: Handler) -> Handler:
    """What a caller did wrong is a 4xx with the reason in words."""

    async def guarded(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except LookupError as error:
            return _json({"detail": str(error)}, status=404)
        except GraphError as error:
            return _json({"detail": error.details}, status=409)
        except (UsageError, ValueError) as error:
            return _json({"detail": str(error)}, status=400)

    return guarded


async def _body(request: web.Request) -> dict[str, Any]:
    text = await request.text()
    body = json.loads(text) if text.strip() else {}
    if not isinstance(body, dict):
        raise UsageError("the body is a JSON object")
    return body


def _number(number: Number) -> dict[str, object]:
    return {
        "id": number.id,
        "display": number.display,
        "waba": number.waba.id,
        "registered": number.is_registered,
        "coexistence": number.is_coexisting,
        "quality": number.quality,
        "sent": len(number.sent),
    }


def _person(person: Person) -> dict[str, object]:
    return {
        "name": person.name,
        "phone": person.phone,
        "user_id": person.user_id,
        "username": person.username,
        "online": person.is_online,
        "messages": len(person.messages),
    }


def _message(shown: Shown) -> dict[str, object]:
    return {
        "id": shown.id,
        "number": shown.number.id,
        "from_me": shown.from_me,
        "type": shown.kind,
        "text": shown.text,
        "content": shown.content,
        "at": shown.at.isoformat(),
        "read": shown.is_read,
        "times": shown.times,
        "reply_to": shown.reply_to,
        "opaque": shown.opaque,
        "reactions": shown.reactions,
    }


def _json(value: dict[str, Any], *, status: int = 200) -> web.Response:
    return web.json_response(value, status=status)
