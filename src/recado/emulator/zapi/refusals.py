"""What the emulated Z-API answers to a request it does not take: a status, and {"error": words}."""

from __future__ import annotations


class Refused(Exception):
    """A request that is not taken. Its words go to the client as they are."""

    def __init__(self, status: int, error: str, **more: object) -> None:
        super().__init__(f"refused with {status}")
        self.status = status
        self.body = {"error": error, **more}
