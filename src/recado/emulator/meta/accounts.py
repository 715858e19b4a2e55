"""
The API's quieter half: what a number and an account say of themselves, registration, tokens, and who is told what
(`subscribed_apps`, the app's `subscriptions`, the addresses of one account or number).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from recado.emulator.meta.errors import GraphError, malformed
from recado.emulator.meta.templates import TEMPLATES_LIMIT
from recado.emulator.meta.webhooks import FIELDS, Subscription
from recado.emulator.meta.world import Number, Override, Waba

if TYPE_CHECKING:
    from recado.emulator.meta.cloud import MetaCloud

Answer = dict[str, Any]

_USUAL = (
    "verified_name",
    "code_verification_status",
    "display_phone_number",
    "quality_rating",
    "platform_type",
    "throughput",
    "webhook_configuration",
)
_UNSET = {
    "certificate",
    "conversational_automation",
    "country_code",
    "country_dial_code",
    "eligibility_for_api_business_global_search",
    "is_preverified_number",
    "last_onboarded_time",
    "new_certificate",
    "new_name_status",
    "quality_score",
    "search_visibility",
    "username",
}
"""Fields Graph knows and leaves out while they have no value."""


def describe_number(cloud: MetaCloud, number: Number, fields: str | None) -> Answer:
    """`GET /{number}`. Raises GraphError."""
    subscription = cloud.webhooks.subscription
    addresses = {
        "application": subscription.url if subscription else None,
        "whatsapp_business_account": number.waba.override.url if number.waba.override else None,
        "phone_number": number.override.url if number.override else None,
    }
    known: Answer = {
        "id": number.id,
        "verified_name": number.name,
        "code_verification_status": "VERIFIED",
        "display_phone_number": number.display,
        "quality_rating": number.quality,
        "platform_type": "CLOUD_API" if number.is_registered else "NOT_APPLICABLE",
        "throughput": {"level": "STANDARD" if number.throughput <= 80 else "HIGH"},
        "webhook_configuration": {name: url for name, url in addresses.items() if url},
        "status": "CONNECTED" if number.is_registered else "DISCONNECTED",
        "name_status": "APPROVED",
        "account_mode": "LIVE",
        "is_official_business_account": False,
        "is_pin_enabled": number.pin is not None,
        "is_on_biz_app": number.is_coexisting,
        "messaging_limit_tier": number.limit_tier,
        "whatsapp_business_manager_messaging_limit": number.limit_tier,
        "health_status": {"can_send_message": "BLOCKED" if number.waba.locked else "AVAILABLE"},
    }
    wanted = [name.strip() for name in fields.split(",")] if fields else list(_USUAL)
    names = [name.split("{")[0].split(".")[0] for name in wanted if name]
    for name in names:
        if name not in known and name not in _UNSET:
            raise GraphError(
                100, f"Tried accessing nonexisting field ({name}) on node type (WhatsAppBusinessPhoneNumber)"
            )
    return {**{name: known[name] for name in names if name in known}, "id": number.id}


def list_numbers(cloud: MetaCloud, waba: Waba, fields: str | None) -> Answer:
    """`GET /{waba}/phone_numbers`."""
    numbers = [each for each in cloud.world.numbers.values() if each.waba is waba]
    return {
        "data": [describe_number(cloud, each, fields) for each in numbers],
        "paging": {"cursors": {"before": "QVFI", "after": "QVFI"}},
    }


def list_templates(cloud: MetaCloud, waba: Waba, request: web.Request) -> Answer:
    """`GET /{waba}/message_templates`, filtered and paged. Raises GraphError."""
    query = request.query
    found = [
        each
        for each in cloud.templates.of(waba)
        if query.get("name", each.name) in each.name
        and query.get("language", each.language) == each.language
        and query.get("status", each.state).upper() == each.state
        and query.get("category", each.category).upper() == each.category
    ]
    limit, start = query.get("limit", "25"), query.get("after", "0")
    if not limit.isdigit() or not start.isdigit():
        raise malformed("Param limit must be a number, and after a cursor.")
    page = found[int(start) : int(start) + int(limit)]
    answer: Answer = {"data": [each.json() for each in page]}
    if page:
        end = int(start) + len(page)
        answer["paging"] = {"cursors": {"before": start, "after": str(end)}}
        if end < len(found):
            answer["paging"]["next"] = f"{cloud.url}{request.path}?limit={limit}&after={end}"
    if "summary" in query:
        count = len(cloud.templates.of(waba))
        summary = {
            "total_count": count,
            "message_template_count": count,
            "message_template_limit": TEMPLATES_LIMIT,
            "are_translations_complete": False,
        }
        answer["summary"] = {name: summary[name] for name in query["summary"].split(",") if name in summary}
    return answer


def register(number: Number, body: Answer) -> Answer:
    """`POST /{number}/register`. Raises GraphError."""
    if body.get("messaging_product") != "whatsapp":
        raise malformed("The parameter messaging_product is required.")
    pin = body.get("pin")
    if not isinstance(pin, str) or not pin.isdigit() or len(pin) != 6:
        raise malformed("Param pin must be 6 characters long.")
    if number.pin not in (None, pin):
        raise GraphError(133005)
    number.pin, number.is_registered = pin, True
    return {"success": True}


def debug_token(cloud: MetaCloud, value: str) -> Answer:
    """`GET /debug_token`."""
    try:
        token = cloud.world.token(value, cloud.clock.now())
    except GraphError as error:
        problem = {"code": error.code, "message": error.details, "subcode": error.subcode}
        return {"data": {"error": problem, "is_valid": False, "scopes": []}}
    ends = int(token.expires_at.timestamp()) if token.expires_at else 0
    targets = sorted(token.wabas if token.wabas is not None else cloud.world.wabas)
    return {
        "data": {
            "app_id": cloud.world.app_id,
            "type": "SYSTEM_USER",
            "application": "recado",
            "data_access_expires_at": ends,
            "expires_at": ends,
            "is_valid": True,
            "scopes": sorted(token.permissions),
            "granular_scopes": [{"scope": scope, "target_ids": targets} for scope in sorted(token.permissions)],
        }
    }


async def app_subscriptions(cloud: MetaCloud, method: str, body: Answer) -> Answer:
    """`/{app}/subscriptions`. Raises GraphError."""
    held = cloud.webhooks.subscription
    if method == "GET":
        fields = [{"name": name, "version": "v26.0"} for name in sorted(held.fields)] if held else []
        said = {"object": "whatsapp_business_account", "callback_url": held.url if held else "", "active": True}
        return {"data": [{**said, "fields": fields}] if held else []}
    if method == "DELETE":
        cloud.webhooks.subscription = None
        return {"success": True}
    url, verify_token, asked = body.get("callback_url"), body.get("verify_token"), body.get("fields")
    if not isinstance(url, str) or not isinstance(verify_token, str):
        raise malformed("The parameters callback_url and verify_token are required.")
    names = asked.split(",") if isinstance(asked, str) else asked or list(FIELDS)
    await cloud.webhooks.verify(url, verify_token)
    cloud.webhooks.subscription = Subscription(url, verify_token, {str(name).strip() for name in names})
    return {"success": True}


async def waba_subscriptions(cloud: MetaCloud, waba: Waba, method: str, body: Answer) -> Answer:
    """`/{waba}/subscribed_apps`. Raises GraphError."""
    if method == "GET":
        app: Answer = {"whatsapp_business_api_data": {"id": cloud.world.app_id, "name": "recado", "link": cloud.url}}
        if waba.override:
            app["override_callback_uri"] = waba.override.url
        return {"data": [app] if waba.is_subscribed else []}
    if method == "DELETE":
        waba.is_subscribed = False
        return {"success": True}
    waba.override = await _override(cloud, body)
    waba.is_subscribed = True
    return {"success": True}


async def configure_number(cloud: MetaCloud, number: Number, body: Answer) -> Answer:
    """`POST /{number}`: an address of the number's own. Raises GraphError."""
    wanted = body.get("webhook_configuration")
    if not isinstance(wanted, dict):
        raise malformed("The parameter webhook_configuration is required.")
    number.override = await _override(cloud, wanted)
    return {"success": True}


async def _override(cloud: MetaCloud, body: Answer) -> Override | None:
    url, verify_token = body.get("override_callback_uri"), body.get("verify_token")
    if not url:
        return None
    if not isinstance(url, str) or not isinstance(verify_token, str):
        raise malformed("The parameters override_callback_uri and verify_token go together.")
    await cloud.webhooks.verify(url, verify_token)
    return Override(url, verify_token)
