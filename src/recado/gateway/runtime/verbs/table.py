"""Every verb a request may have, by its name; each family is a module beside this one."""

from __future__ import annotations

from recado.gateway.runtime.verbs.channels import CHANNEL_VERBS
from recado.gateway.runtime.verbs.groups import GROUP_VERBS
from recado.gateway.runtime.verbs.shared_state import STATE_VERBS
from recado.gateway.runtime.verbs.verb import Verb

VERBS: dict[str, Verb] = {**GROUP_VERBS, **CHANNEL_VERBS, **STATE_VERBS}
