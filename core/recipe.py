"""Recipes as tokens: all that makes a clip again, in one word that can be pasted.

    kr1_eJwlxkEKgCAQ…    the letters of Base64 for addresses: a checksum, then compressed JSON

A token holds a line of words and flags, what the line can't say of pictures and versions, and no
name of anybody. Pure.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from binascii import Error as NoBase64
from dataclasses import dataclass

from core.errors import BadPrompt
from core.request import Stored

PREFIX = "kr1_"
TOKEN = re.compile(r"kr1_[A-Za-z0-9_-]{8,8000}")
CHECK_BYTES = 4
DIGEST_CHARS = 16
"""Of the hash of a picture."""

MOST_CHARS = 10_000
"""Of what a token unfolds to."""

BROKEN = "This recipe is cut short or changed: copy all of it, from kr1_ on."


@dataclass(frozen=True, slots=True)
class Recipe:
    """line: words and flags, as `core.prompt.recipe` writes them. first, last: its pictures, whose
    ids are "" where they are not for whoever reads it to use. weights: a hash of the model's.
    version: of the Kinora that made it. wordless: its words were left out."""

    line: str
    first: Stored | None = None
    last: Stored | None = None
    weights: str = ""
    version: str = ""
    wordless: bool = False

    @property
    def token(self) -> str:
        pictures = [
            [one.id, one.digest] if one is not None else None for one in (self.first, self.last)
        ]
        said = [self.line, pictures, self.weights, self.version, int(self.wordless)]
        text = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
        packed = zlib.compress(text, 9)
        whole = _check(packed) + packed
        return PREFIX + base64.urlsafe_b64encode(whole).rstrip(b"=").decode()


def read(token: str) -> Recipe:
    """The recipe of a token. Raises BadPrompt."""
    try:
        letters = token.removeprefix(PREFIX)
        whole = base64.urlsafe_b64decode(letters + "=" * (-len(letters) % 4))
        check, packed = whole[:CHECK_BYTES], whole[CHECK_BYTES:]
        if check != _check(packed):
            raise BadPrompt(BROKEN)
        opening = zlib.decompressobj()
        text = opening.decompress(packed, MOST_CHARS)
        if opening.unconsumed_tail:
            raise BadPrompt(BROKEN)
        line, pictures, weights, version, wordless = json.loads(text)
        first, last = (Stored(*map(str, one)) if one else None for one in pictures)
    except (NoBase64, ValueError, TypeError, RecursionError, zlib.error):
        raise BadPrompt(BROKEN) from None
    return Recipe(str(line), first, last, str(weights), str(version), bool(wordless))


def _check(packed: bytes) -> bytes:
    return hashlib.sha256(packed).digest()[:CHECK_BYTES]
