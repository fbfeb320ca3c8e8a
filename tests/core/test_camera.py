"""The grammar of camera moves, as a flag and in prose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import camera
from core.camera import CameraMove
from core.errors import BadPrompt


@pytest.mark.parametrize("name", camera.names())
def test_every_move_is_understood_by_its_own_name(name: str) -> None:
    (move,) = camera.parse(name)
    assert str(move) == name
    assert move.strength == camera.DEFAULT_STRENGTH


@pytest.mark.parametrize(
    ("text", "move"),
    [
        ("tilt up 7", CameraMove("tilt", "up", 7)),
        ("PAN RIGHT", CameraMove("pan", "right", 5)),
        ("pan-right", CameraMove("pan", "right", 5)),
        ("pan to the left", CameraMove("pan", "left", 5)),
        ("orbit left 20°", CameraMove("orbit", "left", 5)),
        ("roll right 30 degrees", CameraMove("roll", "right", 10)),
        ("slow zoom in", CameraMove("zoom", "in", 2.5)),
        ("pan slowly right", CameraMove("pan", "right", 2.5)),
        ("pan right quickly", CameraMove("pan", "right", 8)),
        ("slow pan right 6", CameraMove("pan", "right", 6)),
        ("the camera pans left", CameraMove("pan", "left", 5)),
        ("roll clockwise", CameraMove("roll", "right", 5)),
        ("push in", CameraMove("dolly", "in", 5)),
        ("pull back", CameraMove("dolly", "out", 5)),
        ("handheld 3", CameraMove("handheld", "", 3)),
        ("zoom in 0", CameraMove("zoom", "in", 0)),
        ("zoom in 10", CameraMove("zoom", "in", 10)),
    ],
)
def test_a_move_as_people_write_it(text: str, move: CameraMove) -> None:
    assert camera.parse(text) == (move,)


@pytest.mark.parametrize("joint", [" + ", ", ", " and "])
def test_moves_combine(joint: str) -> None:
    moves = camera.parse(joint.join(["pan right 3", "slow zoom in", "handheld"]))
    assert moves == (
        CameraMove("pan", "right", 3),
        CameraMove("zoom", "in", 2.5),
        CameraMove("handheld", "", 5),
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("sideways", "There are: pan left, pan right"),
        ("", "There are: pan left, pan right"),
        ("pan", "Write pan left or pan right."),
        ("pan up", "Write pan left or pan right."),
        ("pan right 11", "strength from 0 to 10; you asked for 11."),
        ("pan right -3", "strength from 0 to 10"),
        ("orbit left 50°", "orbit goes up to 40°; you asked for 50°."),
        ("zoom in 20°", "zoom has no angle"),
        ("pan left left", "is not a camera move"),
        ("+".join(["pan left"] * 7), "Up to 6 camera moves can be combined; you asked for 7."),
    ],
)
def test_what_is_no_move_is_refused_with_what_is(text: str, sentence: str) -> None:
    with pytest.raises(BadPrompt) as refused:
        camera.parse(text)
    assert sentence in refused.value.sentence
    assert refused.value.flag == "camera"


@pytest.mark.parametrize(
    ("prose", "moves"),
    [
        ("the camera slowly pans right over the bay", ["pan right 2.5"]),
        ("a harbour at dawn, slow zoom out", ["zoom out 2.5"]),
        ("The camera slowly zooms in and pans right", ["zoom in 2.5", "pan right 5"]),
        ("orbit left", ["orbit left 5"]),
        ("Orbit left around the statue", ["orbit left 5"]),
        ("crane up 7", ["crane up 7"]),
        ("the camera pulls back", ["dolly out 5"]),
        ("the camera tilts up, then rolls left", ["tilt up 5", "roll left 5"]),
        ("a slow pan left over the hills", ["pan left 2.5"]),
        ("static camera, a man reads", ["static 5"]),
        ("handheld footage of a dog", ["handheld 5"]),
        ("a dog rolls left, camera rolls right", ["roll right 5"]),
        ("the camera slowly rolling left", ["roll left 2.5"]),
        ("a bay, orbit left", ["orbit left 5"]),
    ],
)
def test_prose_that_speaks_of_the_camera(prose: str, moves: list[str]) -> None:
    assert [f"{move} {move.strength:g}" for move in camera.find(prose)] == moves


@pytest.mark.parametrize(
    "prose",
    [
        "a frying pan left on the stove",
        "they pull back the curtain",
        "a dog rolls left in the grass",
        "a still life with apples",
        "static noise on an old television",
        "a satellite orbits left of the moon",
        "a red ball on the grass, rolling left",
        "a red ball slowly rolling to the right",
        "a moon, orbiting left around the earth",
        "two cranes up north",
        "a red ball bouncing on a blue background",
        "zoom",
        "",
    ],
)
def test_prose_that_does_not(prose: str) -> None:
    assert camera.find(prose) == ()


@given(st.text(max_size=300))
def test_no_text_breaks_the_grammar(text: str) -> None:
    for move in camera.find(text):
        assert 0 <= move.strength <= 10
    try:
        moves = camera.parse(text)
    except BadPrompt as refused:
        assert len(refused.sentence) < 600
    else:
        assert all(0 <= move.strength <= 10 for move in moves)


@given(
    st.lists(
        st.tuples(st.sampled_from(camera.names()), st.integers(0, 100)), min_size=1, max_size=6
    )
)
def test_what_is_written_down_is_read_back(moves: list[tuple[str, int]]) -> None:
    text = " + ".join(f"{name} {strength / 10:g}" for name, strength in moves)
    read = camera.parse(text)
    assert [(str(move), move.strength) for move in read] == [(n, s / 10) for n, s in moves]
