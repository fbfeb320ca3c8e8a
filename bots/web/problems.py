"""Errors as `application/problem+json` (RFC 9457): our own, aiohttp's, and bugs."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import web

from core.errors import (
    BadPicture,
    BadPrompt,
    NotEnoughCredits,
    NotFound,
    Refused,
    TooMany,
    Transient,
    UserError,
    WrongState,
)
from core.safety.verdict import Clause

CONTENT_TYPE = "application/problem+json"

_STATUSES: tuple[tuple[type[UserError], int], ...] = (
    (BadPrompt, 422),
    (BadPicture, 422),
    (NotEnoughCredits, 402),
    (Refused, 403),
    (NotFound, 404),
    (WrongState, 409),
    (TooMany, 429),
)
_SENTENCES = {
    400: "The request could not be read.",
    401: "This needs a key: send it as `Authorization: Bearer KEY`.",
    404: "There is nothing here.",
    405: "This address can't do that.",
    413: "That is too large.",
    416: "The file has no such part.",
}


@dataclass(eq=False)
class Problem(Exception):
    """An answer that says what is wrong. detail: a sentence to be shown word for word.

    clause: of the policy, by which something is refused; clip: which one, where it was written
    down.
    """

    status: int
    detail: str
    kind: str = ""
    allowed: tuple[str, ...] = ()
    flag: str | None = None
    reference: str | None = None
    clause: Clause | None = None
    clip: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return HTTPStatus(self.status).phrase

    def as_dict(self) -> dict[str, object]:
        kind = self.kind or self.title.lower().replace(" ", "-")
        said: dict[str, object] = {
            "type": f"urn:kinora:problem:{kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.allowed:
            said["allowed"] = list(self.allowed)
        if self.flag:
            said["flag"] = self.flag
        if self.reference:
            said["reference"] = self.reference
        if self.clause:
            said["clause"] = self.clause.value
        if self.clip:
            said["id"] = self.clip
        return said

    def response(self) -> web.Response:
        return web.Response(
            status=self.status,
            text=json.dumps(self.as_dict()),
            content_type=CONTENT_TYPE,
            headers=self.headers,
        )


def from_error(error: UserError | Transient) -> Problem:
    if isinstance(error, Transient):
        wait = max(1, math.ceil(error.retry_after))
        sentence = f"That can't be done just now. Try again in {wait} s."
        return Problem(503, sentence, "busy", headers={"Retry-After": str(wait)})
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 400)
    return Problem(
        status,
        error.sentence,
        _dashed(type(error).__name__),
        error.allowed,
        error.flag if isinstance(error, BadPrompt) else None,
        headers={"Retry-After": "30"} if status == 429 else {},
    )


def from_http(error: web.HTTPException) -> Problem:
    """aiohttp's own errors, such as an unknown route or a wrong method."""
    sentence = _SENTENCES.get(error.status, f"{HTTPStatus(error.status).phrase}.")
    headers = {name: error.headers[name] for name in ("Allow", "Location") if name in error.headers}
    return Problem(error.status, sentence, headers=headers)


def from_bug(reference: str) -> Problem:
    """Where it broke is unknown, and so is what had happened by then: no promise about credits."""
    sentence = f"Something went wrong here. Tell the operator the reference {reference}."
    return Problem(500, sentence, "bug", reference=reference)


def _dashed(name: str) -> str:
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).removeprefix("-")
