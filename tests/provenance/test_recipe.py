"""A recipe is one word that makes a clip again: pasted alone, it gives the same frames."""

from __future__ import annotations

import base64
import hashlib
import zlib
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from bots.render import render
from bots.settings import Settings
from core import prompt
from core.errors import BadPrompt
from core.recipe import CHECK_BYTES, PREFIX, Recipe, read
from core.replay import OTHER_WEIGHTS
from core.request import Draft, Stored
from model import video
from tests.bots.caller import ask, finished, get, send, show
from tests.bots.pictures import jpeg, landscape
from tests.house import house

LINE = 'a red ball, "at night" --seconds 2 --neg "blur, text" --seed 7 --model pocket'


def test_a_token_stands_for_its_line() -> None:
    token = Recipe(LINE, first=Stored("abc", "0123"), weights="99", version="1").token
    drawn = prompt.parse(LINE)
    assert prompt.parse(token) == prompt.parse("", "--recipe", token)
    assert prompt.parse(f"--recipe {token}") == prompt.parse(token)
    held = prompt.parse(token)
    assert (held.prompt, held.seconds, held.negative_prompt, held.seed) == (
        drawn.prompt, 2, "blur, text", 7,
    )  # fmt: skip
    assert (held.first, held.weights) == (Stored("abc", "0123"), "99")

    # What is said beside it is otherwise; a long one stays in one word.
    other = prompt.parse(f"{token} by day --seed 8")
    assert (other.prompt, other.seed, other.seconds) == ("by day", 8, 2)
    long = "many words " * 180
    assert prompt.parse(Recipe(long).token) == Draft(prompt=long.strip())

    # Cut short, changed, twice, or without its words: a sentence says so.
    for broken in (
        token[:-3],
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        f"{PREFIX}AAAAAAAAAA",
        folded(b"[" * 9000),
    ):
        with pytest.raises(BadPrompt, match="copy all of it"):
            prompt.parse(broken)
    with pytest.raises(BadPrompt, match="two recipes"):
        prompt.parse(f"{token} {token}")
    with pytest.raises(BadPrompt, match="broken characters"):
        prompt.parse(folded(rb'["a \ud800", [null, null], "", "", 0]'))
    assert prompt.parse(Recipe("a \0ball").token).prompt == "a ball"
    wordless = Recipe("--seconds 2 --seed 7", wordless=True).token
    with pytest.raises(BadPrompt, match="without its words"):
        prompt.parse(wordless)
    assert prompt.parse(f"a ball {wordless}").prompt == "a ball"
    assert read(wordless).wordless


def folded(text: bytes) -> str:
    """A token of anything at all, as whoever reads the source can write one."""
    packed = zlib.compress(text)
    whole = hashlib.sha256(packed).digest()[:CHECK_BYTES] + packed
    return PREFIX + base64.urlsafe_b64encode(whole).rstrip(b"=").decode()


async def test_a_clip_is_made_again_bit_for_bit(tmp_path: Path) -> None:
    """By the built-in model, with all that is drawn into its frames; the file's note has another
    time."""
    settings = Settings(_env_file=None, data_dir=tmp_path / "data")  # type: ignore[call-arg]
    first, again, other = (tmp_path / f"{name}.mp4" for name in ("first", "again", "other"))
    words = "a red ball --model pocket --res 240p --seconds 1 --draft"

    def heard(*_: object) -> None: ...

    made = await render(settings, words, (), (None, None), first, heard)
    remade = await render(settings, made.recipe, (), (None, None), again, heard)
    await render(settings, made.recipe, ("--seed", "1"), (None, None), other, heard)
    assert (remade.seed, remade.recipe) == (made.seed, made.recipe)
    assert first.read_bytes() != again.read_bytes()
    digests = [
        hashlib.sha256(b"".join(np.asarray(one).tobytes() for one in video.read(path))).digest()
        for path in (first, again, other)
    ]
    assert [a == b for a, b in pairwise(digests)] == [True, False]


async def test_a_recipe_is_pasted_to_a_running_kinora(tmp_path: Path) -> None:
    async with house(tmp_path) as home, home.client() as ada:
        _, asked = await show(ada, jpeg(landscape()), "pan left --seed 4", seconds="0.5")
        done = await finished(ada, asked["id"])
        recipe = await get(ada, f"/api/v1/clips/{done['id']}/recipe")
        again = await finished(ada, (await ask(ada, recipe["token"]))["id"])
        ours = [(tmp_path / "data" / "clips").glob(f"{one['id']}-*.mp4") for one in (done, again)]
        frames = [[frame.tobytes() for frame in video.read(next(one))] for one in ours]
        assert frames[0] == frames[1]

        # Of a model that has changed since, it is said that the clip will differ.
        other = replace(read(recipe["token"]), weights="0" * 16).token
        redrawn = await finished(ada, (await ask(ada, other))["id"])
        assert (OTHER_WEIGHTS in redrawn["notes"], OTHER_WEIGHTS in again["notes"]) == (True, False)

        # Somebody else's recipes are theirs to give; the picture goes when no clip needs it.
        async with home.client(await home.key("bo")) as bo:
            await get(bo, f"/api/v1/clips/{done['id']}/recipe", 404)
        for clip in (done, again, redrawn):
            await send(ada, "DELETE", f"/api/v1/clips/{clip['id']}?forget=true")
        status, problem = await send(ada, "POST", "/api/v1/clips", {"prompt": recipe["token"]})
        assert status in (404, 410, 422)
        assert "picture" in problem["detail"]
