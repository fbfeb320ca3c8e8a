"""Where clips come from: what is said in a clip and about it, and what is found in any file.

Values and ports; drawing, signing and reading are in `model.provenance`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from core.errors import KinoraError
from core.job import Job
from core.request import Request

VERIFIED_MAX_BYTES = 100_000_000
"""Of a file that somebody asks about."""


START_SECONDS = 2.0
"""How long a label at the start is seen at least: China's labelling measures of 2025 want that of
the opening of a video."""


JUMBF = b"jumb"
"""The box that any manifest of C2PA begins with."""


class Corner(StrEnum):
    TOP_LEFT = "top-left"
    TOP_RIGHT = "top-right"
    BOTTOM_LEFT = "bottom-left"
    BOTTOM_RIGHT = "bottom-right"


@dataclass(frozen=True, slots=True)
class Label:
    """Words in the picture. always: throughout, else for START_SECONDS. size: of the letters, as a
    share of the frame's short side. font: a file; "" for one that has the letters of English."""

    text: str
    always: bool = False
    corner: Corner = Corner.BOTTOM_RIGHT
    size: float = 0.04
    font: str = ""


WORD_BYTES = 6
"""Of an invisible mark."""

MARKS_SUFFIX = ".c2pa"
"""Of the file beside a picture that holds what the picture said of itself when it came."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What is written into a clip's file and signed.

    at: when it was made, in UTC. weights: a hash of the model's. recipe: its token. parent: the
    clip that it goes on from; pictures: those that it was made of.
    """

    job_id: str
    request: Request
    at: datetime
    weights: str
    recipe: str = ""
    parent: Path | None = None
    pictures: tuple[Path, ...] = ()


class Unsigned(KinoraError):
    """A clip could not be signed, and is not to be shown."""


Sign = Callable[[Path, Path, Deed], Awaitable[None]]
"""sign(clip, target, deed). Raises Unsigned."""


class Marks(Protocol):
    """Which clip has which invisible mark."""

    async def keep(self, word: int, job_id: str) -> None:
        """A repeat changes nothing."""
        ...

    async def job(self, words: Collection[int]) -> Job | None:
        """The first that was marked with one of these words."""
        ...


class Proof(StrEnum):
    """What a file says of itself.

    MANIFEST: a note that this Kinora signed, and nothing was changed since. WATERMARK: the
    invisible mark of a clip, and no such note. NOTHING: neither.
    """

    MANIFEST = "manifest"
    WATERMARK = "watermark"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of a file.

    job_id, at, model: of the clip that it is, or came from; at: when that was made, in UTC.
    broken: it carries a signed note that doesn't fit it, so it was changed since. signer: who
    signed it with a certificate that is not this Kinora's, or no longer good. job: as it is in the
    store now; None where it is gone, or was never there, as after `kinora render`. recipe: the
    token in a note that is whole.
    """

    proof: Proof
    job_id: str | None = None
    at: datetime | None = None
    model: str = ""
    broken: bool = False
    signer: str = ""
    job: Job | None = None
    recipe: str = ""

    @property
    def ours(self) -> bool:
        return self.proof is not Proof.NOTHING

    def as_dict(self) -> dict[str, Any]:
        """Without what is its author's alone."""
        return {
            "ours": self.ours,
            "proof": self.proof.value,
            "job": self.job_id,
            "made_at": self.at.isoformat() if self.at else None,
            "model": self.model or None,
            "changed": self.broken or (self.proof is Proof.WATERMARK and not self.signer),
            "signer": self.signer or None,
            "recipe": self.recipe or None,
        }


Verify = Callable[[bytes | Path], Awaitable[Finding]]
"""Where a stranger's file came from; it is only opened in a limited process. Raises UserError for
what is empty, too large or no picture or video, and Transient where too many ask at once."""
