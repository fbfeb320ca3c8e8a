"""One clip with no server, no account and no queue: what `kinora render` does.

Wires the model alone, apart from the composition root, so that a shell need not wait for the rest.
"""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bots.settings import Settings
from core import prompt as grammar
from core.catalog import complete
from core.engine import Engine, Failed, Lost, Progressed, Rendered, Spec, Stopped
from core.errors import BadPrompt, KinoraError, UserError
from core.job import new_id
from core.provenance import Deed, Sign, Unsigned
from core.replay import recipe_of, remarks
from core.request import Draft, Picture
from core.sealing import Practice, word_of
from model.engines.local import LocalEngine
from model.families import MODELS
from model.picture import decode
from model.provenance.weights import weights

CATALOGUE = MODELS

Images = tuple[Path | None, Path | None]
"""The files of the first frame and the last."""

IMAGES = (("begins with", "--image"), ("ends with", "--last-image"))

Heard = Callable[[str, int, int], None]
"""heard(stage, step, steps)"""


class RenderFailed(KinoraError):
    """The renderer gave up."""


@dataclass(frozen=True, slots=True)
class Made:
    """The clip that was written. seconds: (num_frames - 1) / frame_rate. recipe: a token."""

    output: str
    model: str
    width: int
    height: int
    num_frames: int
    frame_rate: int
    seconds: float
    seed: int
    notes: tuple[str, ...]
    recipe: str
    run_seconds: float


async def render(
    settings: Settings,
    prompt: str,
    arguments: Sequence[str],
    images: Images,
    output: Path,
    heard: Heard,
) -> Made:
    """Render to `output`, which is only touched once the clip is whole.

    arguments: flags, split as a shell does. images: the first frame and the last.
    Raises UserError or RenderFailed.
    """
    if not output.parent.is_dir():
        raise UserError(f"There is no folder {output.parent}.")
    draft = grammar.parse(prompt, *arguments)
    for flag in ("fast", "relaxed", "quote"):
        if getattr(draft, flag):
            raise BadPrompt(f"Here is no queue and no price: leave --{flag} out.", flag=flag)
    for name, stored, image in zip(IMAGES, (draft.first, draft.last), images, strict=True):
        if stored is not None and image is None:
            raise BadPrompt(f"This recipe {name[0]} a picture: add it with {name[1]}.")
    from bots.signing import notary_of, practice_of

    practice, sign = practice_of(settings), notary_of(settings).sign
    async with LocalEngine(threads=settings.threads) as engine:
        return await _render(engine, settings.model, draft, images, output, heard, practice, sign)


async def _render(
    engine: Engine,
    default_model: str | None,
    draft: Draft,
    images: Images,
    output: Path,
    heard: Heard,
    practice: Practice,
    sign: Sign,
) -> Made:
    with tempfile.TemporaryDirectory(prefix="kinora-") as scratch:
        (first, picture), (last, last_picture) = [
            await _decoded(image, Path(scratch, name))
            for image, name in zip(images, ("first", "last"), strict=True)
        ]
        request = complete(
            draft,
            CATALOGUE,
            picture=picture,
            last_picture=last_picture,
            default_model=default_model,
            seed=secrets.randbelow(grammar.SEED_MAX + 1),
        )
        folder = Path(tempfile.mkdtemp(dir=scratch))
        spec = Spec(request, folder, first, last_picture=last, label=practice.label)
        if practice.secret is not None:
            spec = replace(spec, word=word_of(request, practice.secret))
        rendered = await _attempt(engine, spec, heard)
        part = output.with_name(f".{output.name}.part")
        made_by = await weights(request.model)
        pictures = tuple(one for one in (first, last) if one is not None)
        recipe, wordless = [
            recipe_of(request, CATALOGUE, made_by, version("kinora"), words=words)
            for words in (True, practice.words)
        ]
        token = wordless.token if wordless else ""
        deed = Deed(new_id(), request, datetime.now(UTC), made_by, token, pictures=pictures)
        try:
            await sign(rendered.video, part, deed)
        except Unsigned:
            part.unlink(missing_ok=True)
            raise RenderFailed("The clip was made, but it could not be signed.") from None
        part.replace(output)
    return Made(
        output=str(output),
        model=request.model,
        width=rendered.width,
        height=rendered.height,
        num_frames=rendered.num_frames,
        frame_rate=rendered.frame_rate,
        seconds=round((rendered.num_frames - 1) / rendered.frame_rate, 3),
        seed=request.seed,
        notes=request.notes + remarks(draft, made_by),
        recipe=recipe.token if recipe else "",
        run_seconds=round(rendered.run_seconds, 3),
    )


async def _decoded(image: Path | None, path: Path) -> tuple[Path | None, Picture | None]:
    """A safe copy of the image at `path`, and what is known of it; nothing of nothing."""
    if image is None:
        return None, None
    decoded = await decode(await asyncio.to_thread(image.read_bytes))
    await asyncio.to_thread(path.write_bytes, decoded.data)
    return path, Picture(path.name, decoded.width, decoded.height)


async def _attempt(engine: Engine, spec: Spec, heard: Heard) -> Rendered:
    job_id = new_id()
    await engine.submit(job_id, 1, spec)
    async for event in engine.events():
        match event:
            case Progressed():
                heard(event.stage, event.step, event.steps)
            case Rendered():
                return event
            case Failed():
                raise RenderFailed(f"{event.sentence} (reference {event.reference})")
            case Lost():
                raise RenderFailed(f"The renderer died: {event.why}.")
            case Stopped():
                raise RenderFailed("The renderer was stopped.")
    raise RenderFailed("The renderer was closed.")
