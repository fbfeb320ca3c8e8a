"""How Telegram says no. There is no published list: the words are those its servers answer with."""

from __future__ import annotations

from typing import Any

_PREFIXES = {
    400: "Bad Request: ",
    401: "Unauthorized",
    403: "Forbidden: ",
    404: "Not Found",
    409: "Conflict: ",
    413: "Request Entity Too Large",
    429: "Too Many Requests: ",
}


class Refused(Exception):
    """A request that is answered with an error. parameters: retry_after, migrate_to_chat_id."""

    def __init__(self, why: str = "", code: int = 400, **parameters: Any) -> None:
        self.code = code
        self.description = _PREFIXES.get(code, "") + why
        self.parameters = parameters
        super().__init__(self.description)

    def body(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "ok": False,
            "error_code": self.code,
            "description": self.description,
        }
        return told | {"parameters": self.parameters} if self.parameters else told


class Malformed(Refused):
    """A request that no bot should send: refused, and noted as a violation."""


def flooded(seconds: int) -> Refused:
    return Refused(f"retry after {seconds}", 429, retry_after=seconds)
