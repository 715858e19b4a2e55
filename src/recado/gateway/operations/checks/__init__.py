"""
The checks of one mentorado's case, by what a person complains of. A check is a function from a case to findings; one
that finds nothing wrong says so in a finding of severity `ok`, so that what was looked at is seen.
"""

from recado.gateway.operations.checks.keys import KEYS
from recado.gateway.operations.checks.linking import LINKING
from recado.gateway.operations.checks.messages import MESSAGES
from recado.gateway.operations.checks.stability import STABILITY
from recado.gateway.operations.checks.waiting import WAITING
from recado.gateway.operations.finding import Check

CHECKS: dict[str, tuple[Check, ...]] = {
    "qr": LINKING,
    "flapping": STABILITY,
    "corruption": KEYS,
    "messages": MESSAGES,
    "roads": WAITING,
}
"""The checks by family, in the order they are told."""
