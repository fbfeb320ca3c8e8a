"""What makes a clip again: a line of words and flags, and a token that says the rest, too."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from core import prompt
from core.catalog import Model, draft_of, named
from core.errors import BadPrompt
from core.job import Job, State
from core.ports import Files
from core.recipe import DIGEST_CHARS, Recipe
from core.request import Draft, Request, Stored

OTHER_WEIGHTS = "The model has changed since this recipe was made: the clip will differ."

Weights = Callable[[str], Awaitable[str]]
"""A hash of a model's weights, by its name; "" where it has none."""


def line_of(job: Job, catalogue: Sequence[Model]) -> str:
    """The line that makes this clip again, with its pictures if it has any.

    "" where no line can: its model is gone, or it goes on from another clip.
    """
    model = _model_of(job.request, catalogue)
    return prompt.recipe(draft_again(job, model)) if model else ""


def draft_again(job: Job, model: Model) -> Draft:
    """As `draft_of`. What was held or refused drew nothing yet, so its seed is not kept."""
    draft = draft_of(job.request, model)
    return replace(draft, seed=None) if job.state in (State.HELD, State.REFUSED) else draft


def recipe_of(
    request: Request,
    catalogue: Sequence[Model],
    weights: str,
    version: str,
    first: Stored | None = None,
    last: Stored | None = None,
    *,
    words: bool = True,
) -> Recipe | None:
    """None where `line_of` says "". words: with what was asked for, or without."""
    said = request if words else replace(request, prompt="", negative_prompt="")
    model = _model_of(said, catalogue)
    line = prompt.recipe(draft_of(said, model)) if model else ""
    wordless = not words and bool(request.prompt)
    return Recipe(line, first, last, weights, version, wordless) if line else None


def _model_of(request: Request, catalogue: Sequence[Model]) -> Model | None:
    """What makes it again from a line; None where nothing does."""
    try:
        return named(catalogue, request.model) if request.continues is None else None
    except BadPrompt:
        return None


def remarks(draft: Draft, weights: str) -> tuple[str, ...]:
    """What there is to say of a recipe where the model has these weights now."""
    return (OTHER_WEIGHTS,) if draft.weights not in ("", weights) else ()


class Replay:
    """version: of this Kinora."""

    def __init__(
        self, catalogue: Sequence[Model], files: Files, weights: Weights, version: str
    ) -> None:
        self._catalogue = catalogue
        self._files = files
        self._weights = weights
        self._version = version

    async def remarks(self, draft: Draft, model: str) -> tuple[str, ...]:
        return remarks(draft, await self._weights(model)) if draft.weights else ()

    async def token(self, job: Job, *, words: bool = True, pictures: bool = True) -> str:
        """The clip's recipe, with its words or without; "" where `line_of` says so, and where the
        clip was deleted. pictures: whoever has it may use them; else they have to bring their own.
        """
        if job.deleted:
            return ""
        request = job.request
        recipe = recipe_of(
            request,
            self._catalogue,
            await self._weights(request.model),
            self._version,
            await self._stored(request.picture, pictures),
            await self._stored(request.last_picture, pictures),
            words=words,
        )
        return recipe.token if recipe else ""

    async def _stored(self, picture: str | None, named: bool) -> Stored | None:
        path = await self._files.picture(picture) if picture is not None else None
        if picture is None or path is None:
            return None
        return Stored(picture if named else "", await asyncio.to_thread(digest, path))


def digest(path: Path) -> str:
    """As in `core.request.Stored`."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:DIGEST_CHARS]
