"""Where clips come from: what is said in a clip and about it, and what is found in any file.

Values and ports; drawing, signing and reading are in `model.provenance`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from core.job import Job

VERIFIED_MAX_BYTES = 100_000_000
"""Of a file that somebody asks about."""


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
    broken: it carries a signed note that doesn't fit it, so it was changed since. signer: who else
    signed it, where not this Kinora did. job: as it is in the store now; None where it is gone, or
    was never there, as after `kinora render`.
    """

    proof: Proof
    job_id: str | None = None
    at: datetime | None = None
    model: str = ""
    broken: bool = False
    signer: str = ""
    job: Job | None = None

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
            "changed": self.broken or self.proof is Proof.WATERMARK,
            "signer": self.signer or None,
        }


Verify = Callable[[bytes | Path], Awaitable[Finding]]
"""Where a stranger's file came from; it is only opened in a limited process. Raises UserError for
what is empty, too large or no picture or video, and Transient where too many ask at once."""
