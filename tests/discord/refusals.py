"""How Discord says no. Codes: https://docs.discord.com/developers/topics/opcodes-and-status-codes"""

from __future__ import annotations

from typing import Any

_MEANINGS: dict[int, tuple[int, str]] = {
    0: (404, "404: Not Found"),
    10001: (404, "Unknown Account"),
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10013: (404, "Unknown User"),
    10015: (404, "Unknown Webhook"),
    10027: (404, "Unknown SKU"),
    10029: (404, "Unknown Entitlement"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    40001: (401, "401: Unauthorized"),
    40005: (413, "Request entity too large"),
    40060: (400, "Interaction has already been acknowledged."),
    40094: (400, "This interaction has reached the maximum number of follow-up messages"),
    50001: (403, "Missing Access"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50013: (403, "Missing Permissions"),
    50027: (401, "Invalid Webhook Token"),
    50035: (400, "Invalid Form Body"),
    50083: (400, "Thread is archived"),
    50109: (400, "The request body contains invalid JSON."),
    160002: (400, "You cannot reply without permission to read message history."),
}


class Refused(Exception):
    """A request that is answered with an error: status, Discord's code, and its errors by field."""

    def __init__(self, code: int, errors: dict[str, Any] | None = None) -> None:
        self.status, self.message = _MEANINGS[code]
        self.code = 0 if code == 40001 else code
        self.errors = errors
        super().__init__(f"{self.status} {code} {self.message} {errors or ''}")

    def body(self) -> dict[str, Any]:
        told: dict[str, Any] = {"message": self.message, "code": self.code}
        return told | {"errors": self.errors} if self.errors else told


class Malformed(Refused):
    """A request that no bot should send: refused with 50035, and noted as a violation."""

    def __init__(self, field: str, why: str) -> None:
        errors: dict[str, Any] = {"_errors": [{"code": "BASE_TYPE_BAD", "message": why}]}
        for name in reversed(field.split(".")):
            errors = {name: errors}
        super().__init__(50035, errors)
        self.why = f"{field}: {why}"
