"""
Graph's errors as a table: code → HTTP status, type, title and the words Meta adds. A request is refused by raising
`GraphError`; a message that was accepted and failed later carries the same code as a webhook's `errors` entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

HREF = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"


@dataclass(frozen=True, slots=True)
class Kind:
    """What Meta says with one code."""

    status: int
    title: str
    details: str
    type: str = "OAuthException"


KINDS = {
    0: Kind(401, "AuthException", "We were unable to authenticate the app user."),
    1: Kind(400, "API Unknown", "Invalid request or possible server error."),
    2: Kind(503, "API Service", "Temporary due to downtime or due to being overloaded."),
    3: Kind(500, "API Method", "Capability or permissions issue."),
    4: Kind(400, "API Too Many Calls", "The app has reached its API call rate limit."),
    10: Kind(403, "Permission Denied", "Permission is either not granted or has been removed."),
    100: Kind(400, "Invalid parameter", "The request included one or more unsupported or misspelled parameters."),
    190: Kind(401, "Access token has expired", "Your access token has expired."),
    200: Kind(403, "API Permission", "Permission is either not granted or has been removed."),
    368: Kind(403, "Temporarily blocked for policies violations", "The account was restricted for violating a policy."),
    80007: Kind(400, "Rate limit issues", "The WhatsApp Business Account has reached its rate limit."),
    130429: Kind(
        400, "Rate limit hit", "Message failed to send because there were too many messages sent from this number."
    ),
    130472: Kind(400, "User's number is part of an experiment", "Message was not sent as part of an experiment."),
    130497: Kind(
        403, "Business account is restricted from messaging users in this country.", "The country is restricted."
    ),
    131000: Kind(500, "Something went wrong", "Message failed to send due to an unknown error."),
    131005: Kind(403, "Access denied", "Permission is either not granted or has been removed."),
    131008: Kind(400, "Required parameter is missing", "The request is missing a required parameter."),
    131009: Kind(400, "Parameter value is not valid", "One or more parameter values are invalid."),
    131016: Kind(500, "Service unavailable", "A service is temporarily unavailable."),
    131021: Kind(400, "Recipient cannot be sender", "Sender and recipient phone number is the same."),
    131026: Kind(400, "Message undeliverable", "Message Undeliverable."),
    131030: Kind(400, "Recipient phone number not in allowed list", "Add recipient phone number to recipient list."),
    131031: Kind(
        403, "Account has been locked", "The account was restricted, disabled, or its data could not be verified."
    ),
    131037: Kind(400, "Display name is not approved", "The number's display name must be approved first."),
    131042: Kind(400, "Business eligibility payment issue", "There was an error related to your payment method."),
    131045: Kind(400, "Incorrect certificate", "Message failed to send due to a phone number registration error."),
    131047: Kind(
        400,
        "Re-engagement message",
        "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
    ),
    131048: Kind(
        400, "Spam rate limit hit", "Message failed to send because too many were blocked or flagged as spam."
    ),
    131049: Kind(
        400,
        "This message was not delivered to maintain healthy ecosystem engagement.",
        "In order to maintain a healthy ecosystem engagement, the message failed to be delivered.",
    ),
    131050: Kind(
        400,
        "User has stopped receiving marketing messages from your business on WhatsApp.",
        "Unable to deliver the message: this recipient has chosen to stop receiving marketing messages from you.",
    ),
    131051: Kind(400, "Message type unknown", "Message type is currently not supported."),
    131052: Kind(400, "Media download error", "Unable to download the media sent by the user."),
    131053: Kind(400, "Media upload error", "Unable to upload the media used in the message."),
    131056: Kind(
        400,
        "(Business Account, Consumer Account) pair rate limit hit",
        "Too many messages sent from the sender number to the same recipient number in a short period of time.",
    ),
    131057: Kind(400, "Account in maintenance mode", "Business Account is in maintenance mode."),
    132000: Kind(400, "Template Param Count Mismatch", "The number of parameters does not match the template."),
    132001: Kind(404, "Template does not exist", "The template does not exist in the language, or is not approved."),
    132005: Kind(400, "Template Hydrated Text Too Long", "Translated text is too long."),
    132007: Kind(400, "Template Format Character Policy Violated", "Template content violates a WhatsApp policy."),
    132008: Kind(400, "Template Parameter Missing", "A parameter of the template is missing."),
    132012: Kind(400, "Template Parameter Format Mismatch", "A parameter is formatted incorrectly."),
    132015: Kind(400, "Template is Paused", "Template is paused due to low quality."),
    132016: Kind(400, "Template is Disabled", "Template has been paused too many times and is permanently disabled."),
    132068: Kind(400, "Flow is blocked", "Flow is in blocked state."),
    132069: Kind(400, "Flow is throttled", "Flow is in throttled state."),
    133000: Kind(500, "Incomplete Deregistration", "A previous deregistration attempt failed."),
    133004: Kind(503, "Server Temporarily Unavailable", "Server is temporarily unavailable."),
    133005: Kind(400, "Two step verification PIN Mismatch", "Two-step verification PIN incorrect."),
    133010: Kind(400, "Phone number Not Registered", "Phone number not registered on the WhatsApp Business Platform."),
    133016: Kind(400, "Account register rate limit", "Registration failed: too many attempts for this number."),
    135000: Kind(400, "Generic user error", "Message failed to send because of an unknown error with the parameters."),
    2200: Kind(400, "Callback verification failed", "The callback URL did not answer with the challenge."),
    2500: Kind(400, "Unknown path components", "Unknown path components."),
    2388019: Kind(400, "Message Template Limit Exceeded", "The number of templates is exceeded."),
    2388023: Kind(400, "Message Template Language Is Being Deleted", "A template of that name is being deleted."),
    2388024: Kind(
        400, "Message Template Already Exists", "There is already content in this language for this template."
    ),
    2593109: Kind(400, "History sync is declined", "History sharing is turned off by the business."),
}

_WHATSAPP = range(130000, 140000)


class GraphError(Exception):
    """A request is refused with this code. `details` replaces the table's words."""

    def __init__(
        self,
        code: int,
        details: str | None = None,
        *,
        message: str | None = None,
        subcode: int | None = None,
        status: int | None = None,
    ) -> None:
        kind = KINDS.get(code) or KINDS[1]
        super().__init__(f"graph error {code}")
        self.code = code
        self.status = status or kind.status
        self.details = details or kind.details
        self.title = message or kind.title
        self.subcode = subcode
        self.type = kind.type

    def body(self, trace: str) -> dict[str, Any]:
        """The answer's JSON."""
        said: dict[str, Any] = {"message": f"(#{self.code}) {self.title}", "type": self.type, "code": self.code}
        if self.code in _WHATSAPP:
            said["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        elif self.code == 100:
            said["message"] = f"(#100) {self.details}" if self.subcode is None else self.details
            said["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        elif self.code in {0, 190, 2500}:
            said["message"] = self.details
        if self.subcode is not None:
            said["error_subcode"] = self.subcode
        if self.code in {1, 2, 4, 80007}:
            said["is_transient"] = True
        return {"error": {**said, "fbtrace_id": trace}}


def webhook_error(code: int, details: str | None = None) -> dict[str, Any]:
    """The same as an entry of a webhook's `errors`."""
    kind = KINDS.get(code) or KINDS[131000]
    return {
        "code": code,
        "title": kind.title,
        "message": kind.title,
        "error_data": {"details": details or kind.details},
        "href": HREF,
    }


def unknown_object(id: str, verb: str = "get") -> GraphError:
    """No such object, or not for this token: Graph says the same of both."""
    return GraphError(
        100,
        f"Unsupported {verb} request. Object with ID '{id}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation.",
        subcode=33,
    )


def missing(name: str) -> GraphError:
    """A parameter that must be there is not."""
    return GraphError(131008, f"Parameter '{name}' is mandatory.")


def invalid(name: str, why: str) -> GraphError:
    """A parameter has a value it cannot have."""
    return GraphError(131009, f"Parameter '{name}' {why}.")


def malformed(why: str) -> GraphError:
    """The request's shape is wrong."""
    return GraphError(100, why)
