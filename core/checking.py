"""What is drawn, before anybody sees it: clips and previews pass the gate."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from core.engine import Rendered
from core.job import Job
from core.safety.gate import Gate, Sight, Words
from core.safety.verdict import Clause, Finding

log = logging.getLogger("kinora.checking")

PREVIEW_SECONDS = 1.0
"""The least between two previews of a clip that are looked at."""

FINAL = (Clause.BLOCKED, Clause.MINORS, Clause.UNCHECKED)
"""What no moderator clears: where nobody could look, the others may be there, too."""


class Checking:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._looks: dict[str, asyncio.Task[Sight]] = {}
        self._previewed: dict[str, float] = {}

    def stop(self, job_id: str) -> bool:
        """Look no further at a clip. Whether it was looked at."""
        look = self._looks.get(job_id)
        return look is not None and look.cancel()

    async def clip(self, job: Job, rendered: Rendered) -> Sight | None:
        """What is seen of it; None where it was stopped meanwhile."""
        look = asyncio.create_task(self._gate.clip(rendered.video, job.level, _words(job)))
        self._looks[job.id] = look
        try:
            await asyncio.wait({look})
        finally:
            look.cancel()
            self._looks.pop(job.id, None)
        return None if look.cancelled() else look.result()

    async def shows(self, job: Job, preview: bytes) -> bool:
        """Whether a preview may be shown. One at a time is looked at, and not every one."""
        now = asyncio.get_running_loop().time()
        self._previewed = {id_: due for id_, due in self._previewed.items() if due > now}
        if job.id in self._previewed:
            return False
        self._previewed[job.id] = float("inf")
        sight = await self._gate.picture(preview, job.level, _words(job))
        self._previewed[job.id] = asyncio.get_running_loop().time() + PREVIEW_SECONDS
        return not against(job, sight)


def against(job: Job, sight: Sight) -> Sequence[Finding]:
    """What keeps a clip from being delivered; nothing where it may be."""
    findings = [one for one in sight.verdict.findings if one.ruling]
    return [one for one in findings if one.clause in FINAL] if job.cleared else findings


def _words(job: Job) -> Words:
    return Words(job.request.prompt, job.request.negative_prompt)
