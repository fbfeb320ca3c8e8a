"""More of a clip, as the buttons under it ask for it on every platform."""

from __future__ import annotations

from collections.abc import Sequence

from bots.card import VARIANTS, Button
from core.counter import Consent
from core.job import Account, Job
from core.studio import Studio


async def vary(
    studio: Studio, account: Account, place: str, job_id: str, action: str, key: str
) -> Sequence[Job]:
    """Queue, or quote, what a button asks for. action: a `Button`'s value; any but those named here
    means the same again. Raises UserError or Transient."""
    match action:
        case Button.EXTEND:
            return [await studio.extend(account, place, job_id, consent=Consent.NEEDED, key=key)]
        case Button.UPSCALE:
            return [await studio.upscale(account, place, job_id, consent=Consent.NEEDED, key=key)]
        case Button.FOUR:
            return await studio.variants(account, place, job_id, VARIANTS, key=key)
    return [await studio.again(account, place, job_id, consent=Consent.NEEDED, key=key)]
