"""From a draft to a request, within what a model can do; and its price."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.camera import CameraMove
from core.catalog import (
    Takes,
    complete,
    draft_of,
    extension,
    frame_size,
    nearest_aspect,
    reseeded,
)
from core.errors import BadPrompt
from core.prompt import ASPECTS, parse, recipe
from core.request import Picture, Request
from tests.core.models import CATALOGUE, MOVES, WORDS

PHOTO = Picture("photo", 4000, 3000)


def made(line: str, picture: Picture | None = None) -> Request:
    return complete(parse(line), CATALOGUE, picture=picture, seed=7)


@pytest.mark.parametrize(
    ("resolution", "aspect", "size"),
    [
        ("480p", "16:9", (854, 480)),
        ("720p", "16:9", (1280, 720)),
        ("1080p", "16:9", (1920, 1080)),
        ("480p", "9:16", (480, 854)),
        ("720p", "1:1", (720, 720)),
        ("720p", "4:3", (960, 720)),
        ("1080p", "21:9", (2520, 1080)),
    ],
)
def test_sizes(resolution: str, aspect: str, size: tuple[int, int]) -> None:
    assert frame_size(resolution, aspect) == size


@given(st.sampled_from(["240p", "480p", "720p", "1080p"]), st.sampled_from(ASPECTS))
def test_every_size_suits_the_encoder(resolution: str, aspect: str) -> None:
    width, height = frame_size(resolution, aspect)
    assert width % 2 == height % 2 == 0
    assert nearest_aspect(width, height, ASPECTS) == aspect


def test_words_alone_choose_the_model_that_reads() -> None:
    request = made("a red ball")
    assert (request.model, request.width, request.height) == ("words", 240, 240)
    assert (request.num_frames, request.frame_rate, request.seconds) == (17, 8, 2.0)
    assert (request.seed, request.num_inference_steps) == (7, 4)


def test_a_picture_chooses_the_model_that_moves_it_and_its_own_shape() -> None:
    request = made("slow zoom in", PHOTO)
    assert (request.model, request.aspect) == ("moves", "4:3")
    assert (request.width, request.height, request.num_frames) == (960, 720, 121)
    assert request.camera == (CameraMove("zoom", "in", 2.5),)
    assert request.picture == "photo"


def test_a_picture_without_words_gets_the_usual_move_and_a_note() -> None:
    request = made("", PHOTO)
    assert request.camera == MOVES.default_camera
    assert request.notes == ("Camera: zoom in, since none was named.",)


@pytest.mark.parametrize(
    ("line", "picture", "says"),
    [
        ("", None, "Write what you would like to see"),
        ("x --model mvoes", None, 'no model "mvoes". Did you mean moves? Try words or moves.'),
        ("x --model moves", None, "add one"),
        ("x --model words", PHOTO, "words takes no picture; moves does"),
        ("x --seconds 9", None, "1 to 4 seconds with words; you asked for 9. Try --seconds 4"),
        ("x --seconds 90", PHOTO, "1 to 60 seconds with moves; you asked for 90"),
        ("x --res 1080p", None, "240p or 480p; you asked for 1080p"),
        ("x --ar 9:16", None, "1:1 or 16:9; you asked for 9:16"),
        ("x --camera static", None, "words has no --camera; moves does"),
        ("x --steps 90", None, "--steps can be 1 to 50 with words; you asked for 90"),
        ("x --fps 25", PHOTO, "12, 24 or 30 frames a second; you asked for 25"),
        ("x --draft", PHOTO, "moves has no --draft; words does"),
    ],
)
def test_refuses_what_the_model_cannot_do(line: str, picture: Picture | None, says: str) -> None:
    with pytest.raises(BadPrompt) as caught:
        made(line, picture)
    assert says in caught.value.sentence


@given(st.integers(10, 40))
def test_frames_keep_the_grain_and_come_near_the_length(tenths: int) -> None:
    request = made(f"x --seconds {tenths / 10}")
    assert request.num_frames % 4 == 1
    assert abs(request.seconds - tenths / 10) <= 0.25


def test_a_request_survives_its_own_recipe_and_its_own_json() -> None:
    for request in (
        made("a red ball --seconds 3 --neg blur --steps 9"),
        made("over the bay --camera 'pan right 7 + tilt up' --fps 30 --loop --motion 8", PHOTO),
    ):
        model = {"words": WORDS, "moves": MOVES}[request.model]
        line = recipe(draft_of(request, model))
        picture = PHOTO if request.picture else None
        assert complete(parse(line), CATALOGUE, picture=picture, seed=99) == request
        assert Request.from_dict(request.as_dict()) == request


def test_words_to_avoid_without_guidance_are_said_to_do_nothing() -> None:
    (warned,) = [n for n in made("a red ball --neg blur --guidance 1").notes if "--neg" in n]
    assert "--guidance above 1" in warned
    assert not any("--neg" in n for n in made("a red ball --neg blur --guidance 4").notes)


def test_whoever_edits_the_words_edits_the_move() -> None:
    recipes = {
        line: recipe(draft_of(made(line, PHOTO), MOVES))
        for line in ("slow zoom in", "my cat", 'my cat --camera "tilt up 7"')
    }
    assert ["--camera" in one for one in recipes.values()] == [False, False, True]
    edited = recipes["slow zoom in"].replace("slow zoom in", "slow pan left")
    assert made(edited, PHOTO).camera == (CameraMove("pan", "left", 2.5),)


def test_a_last_picture_goes_to_a_model_that_can_end_with_it() -> None:
    ends = replace(WORDS, name="ends", picture=Takes.MAYBE, last_picture=True)
    catalogue = [WORDS, MOVES, ends]
    sunset = Picture("sunset", 100, 101)
    alone = complete(parse("a ball"), catalogue, last_picture=sunset, seed=7)
    assert (alone.model, alone.aspect, alone.pictures) == ("ends", "1:1", ("sunset",))
    both = complete(parse(""), catalogue, picture=PHOTO, last_picture=sunset, seed=7)
    assert (both.model, both.picture, both.last_picture) == ("ends", "photo", "sunset")
    assert Request.from_dict(both.as_dict()) == both
    with pytest.raises(BadPrompt, match="moves can't end with a picture; ends can"):
        complete(parse("x --model moves"), catalogue, picture=PHOTO, last_picture=sunset, seed=7)
    with pytest.raises(BadPrompt, match=r"words can't end with a picture\."):
        complete(parse("x"), CATALOGUE, last_picture=sunset, seed=7)


def test_a_move_that_the_model_lacks_is_left_out_and_said() -> None:
    pans = replace(WORDS, flags=WORDS.flags | {"camera"}, moves=frozenset({"pan left"}))
    for line in ("a ball, pan left, roll right", 'a ball --camera "pan left + roll right"'):
        request = complete(parse(line), [pans], seed=7)
        assert request.camera == (CameraMove("pan", "left"),)
        assert request.notes == ("Camera: pan left 5.", "words can't roll right: left out.")
        assert complete(draft_of(request, pans), [pans], seed=7) == request


def test_what_a_model_remarks_comes_first_and_follows_the_seed() -> None:
    counts = replace(
        WORDS,
        flags=WORDS.flags | {"camera"},
        remarks=lambda request: [f"{request.prompt}: number {request.seed}."],
    )
    request = complete(parse("a ball, pan left"), [counts], seed=7)
    assert request.notes == ("a ball, pan left: number 7.", "Camera: pan left 5.")
    again = reseeded(request, counts, 8)
    assert again == request.with_seed(8)
    assert again.notes == ("a ball, pan left: number 8.", "Camera: pan left 5.")
    assert reseeded(request, WORDS, 8).notes == request.notes


def test_an_extension_goes_on_within_the_longest_length() -> None:
    first = made("zoom in --seconds 5", PHOTO)
    more = extension(first, "job", 5.0, 10.0, MOVES, seed=3)
    assert (more.seconds, more.continues, more.picture) == (10.0, "job", None)
    with pytest.raises(BadPrompt, match="this one has 55, so 5 more at most"):
        extension(first, "job", 55.0, 10.0, MOVES, seed=3)
    with pytest.raises(BadPrompt, match="words can't extend"):
        extension(made("x"), "job", 2.0, 1.0, WORDS, seed=3)
    slower = replace(first, frame_rate=6)
    with pytest.raises(BadPrompt, match="runs at 6 frames a second, which moves no longer makes"):
        extension(slower, "job", 5.0, 10.0, MOVES, seed=3)


def test_a_draft_takes_fewer_steps_where_none_are_named() -> None:
    rough = replace(WORDS, draft_steps=2, draft_resolution="240p", resolution="480p")

    def made_rough(line: str) -> Request:
        return complete(parse(line), (rough,), seed=7)

    draft, usual = made_rough("x --draft"), made_rough("x")
    assert (draft.num_inference_steps, draft.resolution) == (2, "240p")
    assert (usual.num_inference_steps, usual.resolution) == (4, "480p")
    said = made_rough("x --draft --steps 9 --res 480p")
    assert (said.num_inference_steps, said.resolution) == (9, "480p")
    final = replace(draft_of(draft, rough), draft=False)
    assert complete(final, (rough,), seed=7).num_inference_steps == 4
    for request in (draft, usual, said):
        assert complete(draft_of(request, rough), (rough,), seed=7) == request
