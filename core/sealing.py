"""What a clip is given on its way: a mark and a label in its frames, a signed note in its file.

Knows which, and when; how is in `model.provenance`.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, replace

from core.engine import Rendered, Spec
from core.job import Job
from core.plans import Label as Asked
from core.plans import Plans
from core.ports import Accounts, Clock, Files, Jobs
from core.provenance import WORD_BYTES, Deed, Label, Marks, Sign
from core.replay import Replay, Weights
from core.request import Request

SIGNED = "signed.mp4"

UNSIGNED = "The clip was made, but it could not be signed, and nothing is shown unsigned."


@dataclass(frozen=True, slots=True)
class Practice:
    """What an operator has clips say. secret: what marks are made of; None: no marks. label: None
    where none is drawn, else on clips of all whose plan doesn't leave that to them. words: what was
    asked for is in the file, too."""

    secret: bytes | None
    label: Label | None = None
    words: bool = False


def word_of(request: Request, secret: bytes) -> int:
    """The invisible mark of a request's clip. Equal requests have equal ones, so that their clips
    are equal, too."""
    said = {name: value for name, value in request.as_dict().items() if name != "notes"}
    text = json.dumps(said, sort_keys=True).encode()
    return int.from_bytes(hmac.digest(secret, text, "sha256")[:WORD_BYTES])


class Sealing:
    def __init__(
        self,
        accounts: Accounts,
        jobs: Jobs,
        files: Files,
        marks: Marks,
        plans: Plans,
        clock: Clock,
        practice: Practice,
        sign: Sign,
        weights: Weights,
        replay: Replay,
    ) -> None:
        self._accounts = accounts
        self._jobs = jobs
        self._files = files
        self._marks = marks
        self._plans = plans
        self._clock = clock
        self._practice = practice
        self._sign = sign
        self._weights = weights
        self._replay = replay

    async def stamped(self, job: Job, spec: Spec) -> Spec:
        """The spec, with what is to be drawn into the frames."""
        secret = self._practice.secret
        word = None if secret is None else word_of(job.request, secret)
        return replace(spec, word=word, label=await self._label(job))

    async def sealed(self, job: Job, rendered: Rendered) -> Rendered:
        """The clip, signed, in a file of its own beside the first; a repeat makes it anew.

        Raises Unsigned; then it must not be shown.
        """
        signed = rendered.video.with_name(SIGNED)
        await self._sign(rendered.video, signed, await self._deed(job))
        if self._practice.secret is not None:
            await self._marks.keep(word_of(job.request, self._practice.secret), job.id)
        return replace(rendered, video=signed)

    async def _label(self, job: Job) -> Label | None:
        if self._practice.label is None:
            return None
        account = await self._accounts.account_by_id(job.account_id)
        if account and self._plans.of(account, self._clock()).label is Asked.OPTIONAL:
            return None
        return self._practice.label

    async def _deed(self, job: Job) -> Deed:
        request = job.request
        before = await self._jobs.job(request.continues) if request.continues else None
        pictures = [await self._files.picture(one) for one in dict.fromkeys(request.pictures)]
        return Deed(
            job.id,
            request,
            self._clock(),
            await self._weights(request.model),
            await self._replay.token(job, words=self._practice.words, pictures=False),
            before.clip.video if before is not None and before.clip is not None else None,
            tuple(one for one in pictures if one is not None),
        )
