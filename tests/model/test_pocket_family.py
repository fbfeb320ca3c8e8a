"""Pocket as people meet it: what its table of facts makes of it, and how it hears of a camera."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import camera, prompt
from core.catalog import Model, Takes, complete, reseeded
from core.prompt import ASPECTS
from core.request import Picture, Request
from model.families import pocket, wan
from model.family import NOTHING_GIVEN, Frame, Given, Step
from model.pocket import denoiser, words
from tests.model import tiny_wan

TOKENS = denoiser.MAX_WORDS

FACTS = {
    "sizes": [[64, 64]],
    "num_frames": 9,
    "frame_rate": 6,
    "num_inference_steps": 3,
    "guidance_scale": 2.0,
    "max_sequence_length": 16,
}
MORE_FACTS: dict[str, Any] = {
    **FACTS,
    "sizes": [[64, 64], [96, 64], [64, 96]],
    "frame_rate": 8,
    "num_inference_steps": 1,
    "guidance_scale": 1.0,
    "context_latents": 2,
    "takes_picture": True,
    "takes_last_picture": True,
    "extends": True,
    "longest_seconds": 75,
    "camera": list(words.CAMERA),
    "hold_colour": 0.25,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("pocket")
    tiny_wan.save(folder)
    yield folder
    torch.set_num_threads(threads)


def offered(folder: Path, facts: dict[str, Any]) -> Model:
    (folder / "kinora.json").write_text(json.dumps(facts))
    (model,) = pocket.offered(folder)
    return model


def test_it_is_offered_only_with_its_weights(tmp_path: Path) -> None:
    assert pocket.offered(tmp_path) == ()


def test_what_no_fact_says_it_does_not_do(folder: Path) -> None:
    model = offered(folder, FACTS)
    assert (model.picture, model.last_picture, model.extends) == (Takes.NOTHING, False, False)
    assert (model.aspects, model.native, model.seconds.high) == (("1:1",), 64, 5)
    assert "camera" not in model.flags
    request = complete(prompt.parse("a red ball --res 240p --seconds 2"), [model], seed=3)
    assert (request.width, request.height, request.frame_rate) == (240, 240, 6)
    film = list(wan.load(pocket.checkpoint(folder)).frames(request, NOTHING_GIVEN, no_step))
    assert np.stack(film).shape == (request.num_frames, 240, 240, 3)


def test_facts_say_what_it_can(folder: Path) -> None:
    model = offered(folder, MORE_FACTS)
    assert (model.picture, model.last_picture, model.extends) == (Takes.MAYBE, True, True)
    assert (model.aspects, model.aspect, model.seconds.high) == (ASPECTS, "1:1", 75)
    drawn = pocket.Pocket(wan.load(pocket.checkpoint(folder)), 16)
    for aspect in ASPECTS:
        line = f"a red ball, pan left --res 240p --seconds 5 --ar {aspect}"
        request = complete(prompt.parse(line), [model], seed=3)
        assert [str(move) for move in request.camera] == ["pan left"]
        film = list(drawn.frames(request, NOTHING_GIVEN, no_step))
        assert np.stack(film).shape == (41, request.height, request.width, 3)
    ends = complete(prompt.parse("a ball"), [model], last_picture=Picture("p", 640, 360), seed=3)
    assert (ends.last_picture, ends.aspect) == ("p", "16:9")


def test_moves_that_it_lacks_are_said(folder: Path) -> None:
    model = offered(folder, {**MORE_FACTS, "camera": ["pan left", "zoom in"]})
    line = 'a red ball --camera "dolly in + crane up + static + handheld"'
    request = complete(prompt.parse(line), [model], seed=3)
    assert [str(move) for move in request.camera] == ["dolly in", "static"]
    assert "pocket can't crane up, handheld: left out." in request.notes


@pytest.mark.parametrize("line", ['a red ball --camera "zoom in 9"', "a red ball, slow zoom in"])
def test_strengths_that_it_does_not_know_are_said(folder: Path, line: str) -> None:
    model = offered(folder, MORE_FACTS)
    left_out = "pocket moves the camera at one pace: strengths are left out."
    notes = complete(prompt.parse(line), [model], seed=3).notes
    assert notes[notes.index("Camera: zoom in.") + 1] == left_out
    plain = complete(prompt.parse("a red ball, zoom in"), [model], seed=3)
    assert "Camera: zoom in." in plain.notes
    assert left_out not in plain.notes


@pytest.mark.parametrize(
    ("said", "move", "heard"),
    [
        ("a red ball", "pan left", "a red ball, camera pans left"),
        ("a red ball", "dolly in", "a red ball, camera zooms in"),
        ("a red ball", "crane down 9", "a red ball, camera tilts down"),
        ("a red ball", "static", "a red ball"),
        ("", "zoom out", "camera zooms out"),
        ("a ball, slow zoom in", "zoom in 2.5", "a ball, slow zoom in"),
        ("a ball, panning right", "pan right", "a ball, panning right, camera pans right"),
        ("a ball", "orbit left + orbit left", "a ball, camera orbits left"),
    ],
)
def test_a_move_becomes_words_of_the_training(said: str, move: str, heard: str) -> None:
    assert told(said, move) == heard


def test_a_long_prompt_loses_what_is_not_known_and_neither_ball_nor_camera() -> None:
    chatter = "if you would be so kind, please be so good as to make for me"
    heard = told(f"{chatter}, a red ball {chatter} on a blue background", "pan left")
    assert words.understood(heard) == ("red", "ball", "blue background", "camera pans left")
    tokenizer = denoiser.build_tokenizer()
    assert len(tokenizer(heard).input_ids) <= TOKENS
    assert tokenizer.unk_token_id not in tokenizer(heard).input_ids
    endless = "a red ball " * 40
    assert told(endless, "pan left").endswith(", camera pans left")
    assert len(tokenizer(told(endless, "pan left")).input_ids) == TOKENS


def test_words_beyond_what_it_hears_are_not_said_to_be_understood(folder: Path) -> None:
    model = offered(folder, {**MORE_FACTS, "max_sequence_length": TOKENS})
    for line, note in (
        ("quite " * 40 + "a red ball", "It understood: red, ball. Not: quite."),
        ("a red ball " * 12 + "at night", "It understood: red, ball."),
    ):
        assert complete(prompt.parse(line), [model], seed=3).notes[0] == note


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("a red ball in starry snow", "It understood: red, ball. Not: starry, snow."),
        ("a red ball on a blue background, please", "It understood: red, ball, blue background."),
        ("a red ball, slowly dolly in", "It understood: red, ball."),
        ("a cat and a red ball", "It understood: red, ball. Not: cat."),
        ("ball a1 aa bb cc dd ee ff gg", "Not: aa, bb, cc, dd, ee, ff and more."),
        ("ball " + "y" * 90, f"Not: {'y' * 23}…."),
        ("ein Hund im Schnee", pocket.UNKNOWN_WORDS),
    ],
)
def test_what_it_did_not_understand_is_said(folder: Path, line: str, says: str) -> None:
    model = offered(folder, {**MORE_FACTS, "max_sequence_length": TOKENS})
    first = complete(prompt.parse(line), [model], seed=3).notes[0]
    assert first == says or first.endswith(f". {says}")


def test_words_that_name_no_background_are_given_one_that_goes_with_them(folder: Path) -> None:
    model = offered(folder, {**MORE_FACTS, "max_sequence_length": TOKENS})
    added = set()
    for seed in range(2 * len(pocket.ADDED_BACKGROUNDS)):
        request = complete(prompt.parse("a blue ball bouncing."), [model], seed=seed)
        (note,) = [note for note in request.notes if note.startswith("Background: ")]
        asked = words.concepts(heard_of(request))
        assert note == f"Background: {asked['background']}, since none was named."
        assert heard_of(request).startswith("a blue ball bouncing, ")
        again = reseeded(request, model, seed + 1)
        assert words.concepts(heard_of(again))["background"] in "".join(again.notes)
        assert len(again.notes) == len(request.notes)
        added.add(asked["background"])
    assert added == {"white", "yellow", "cyan", "grey"}


def test_a_background_comes_before_the_camera() -> None:
    model = pocket_request("a red ball", "pan left", seed=0)
    assert heard_of(model) == "a red ball, on a blue background, camera pans left"
    sky = pocket_request("a red ball", "pan left", seed=5)
    assert heard_of(sky) == "a red ball, in the sky, camera pans left"


@pytest.mark.parametrize(
    ("said", "given"),
    [
        ("a red ball at night", {}),
        ("a red ball, yellow background", {}),
        ("ein Hund", {}),
        ("", {}),
        ("a red ball", {"picture": "p"}),
        ("a red ball", {"last_picture": "p"}),
        ("a red ball", {"continues": "job"}),
    ],
)
def test_what_has_a_background_or_says_nothing_is_given_none(
    said: str, given: dict[str, str]
) -> None:
    request = replace(pocket_request(said, "static"), **given)  # type: ignore[arg-type]
    assert heard_of(request) == said
    assert not any("Background" in remark for remark in pocket.remarks(request, TOKENS))


def test_what_becomes_of_a_picture_is_said(folder: Path) -> None:
    model = offered(folder, MORE_FACTS)
    photo = Picture("p", 640, 360)
    for first, last in ((photo, None), (photo, photo), (None, photo)):
        request = complete(
            prompt.parse("a red ball"), [model], picture=first, last_picture=last, seed=3
        )
        assert pocket.PICTURE in request.notes
    assert pocket.PICTURE not in complete(prompt.parse("a red ball"), [model], seed=3).notes


def test_all_that_people_are_told_it_knows_it_reads() -> None:
    kinds = dict(pocket.VOCABULARY)
    for word in (*kinds["things"], *kinds["colours"], *kinds["motions"]):
        assert words.understood(word) == (word,)
    for word in kinds["backgrounds, as in “blue background”"]:
        assert words.concepts(f"{word} background")["background"] == word


def told(said: str, move: str) -> str:
    """What the model is told of a clip that goes on from another."""
    return heard_of(replace(pocket_request(said, move), continues="job"))


def pocket_request(said: str, move: str, seed: int = 1) -> Request:
    return Request(
        model="pocket", prompt=said, width=64, height=64, num_frames=9, frame_rate=8, seed=seed,
        resolution="64p", aspect="1:1", camera=camera.parse(move),
    )  # fmt: skip


def heard_of(plain: Request) -> str:
    """What the model is told."""
    asked: list[Request] = []

    class Listening:
        def frames(self, request: Request, given: Given, step: Step) -> Iterator[Frame]:
            asked.append(request)
            return iter(())

    list(pocket.Pocket(Listening(), TOKENS).frames(plain, NOTHING_GIVEN, no_step))
    (request,) = asked
    return request.prompt


def no_step(*_: object) -> None:
    pass
