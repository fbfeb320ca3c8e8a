"""The prompt grammar, judged by what people type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.camera import CameraMove
from core.errors import BadPrompt
from core.prompt import ASPECTS, FLAGS, edited, parse, recipe, with_fields
from core.request import Draft


@pytest.mark.parametrize(
    ("line", "draft"),
    [
        ("a red ball", Draft("a red ball")),
        ("a red ball --seconds 5", Draft("a red ball", seconds=5.0)),
        ("--seconds 2.5s a red ball --ar=16:9", Draft("a red ball", seconds=2.5, aspect="16:9")),
        ("x \N{EM DASH}ar 9:16", Draft("x", aspect="9:16")),
        ("x --res 720", Draft("x", resolution="720p")),
        ('x --neg "text, blur" --loop', Draft("x", negative_prompt="text, blur", loop=True)),
        ("x --neg='text, blur'", Draft("x", negative_prompt="text, blur")),
        ("x --neg \N{LEFT DOUBLE QUOTATION MARK}a b\N{RIGHT DOUBLE QUOTATION MARK}",
         Draft("x", negative_prompt="a b")),
        ('x --camera "pan right 7"', Draft("x", camera=(CameraMove("pan", "right", 7.0),))),
        ('x --camera "orbit left 20°"', Draft("x", camera=(CameraMove("orbit", "left", 5.0),))),
        ('x --camera "zoom in + tilt up"',
         Draft("x", camera=(CameraMove("zoom", "in"), CameraMove("tilt", "up")))),
        ('"all of it quoted"', Draft("all of it quoted")),
        ('"take --this literally"', Draft("take --this literally")),
        ('a sign that says "go" in red', Draft('a sign that says "go" in red')),
        ("it's a dog's life", Draft("it's a dog's life")),
        ("a well-known half--timbered house", Draft("a well-known half--timbered house")),
        ("two\nlines\tand a tab", Draft("two lines and a tab")),
        ("nul\x00byte", Draft("nulbyte")),
        ("x --seed 0 --steps 4 --guidance 1 --fps 16 --motion 10 --draft --model Pocket",
         Draft("x", seed=0, steps=4, guidance=1.0, fps=16, motion=10.0, draft=True,
               model="pocket")),
        ("", Draft("")),
    ],
)  # fmt: skip
def test_reads_what_people_type(line: str, draft: Draft) -> None:
    assert parse(line) == draft


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("x --secnods 5", "Did you mean --seconds?"),
        ("x --duration 5", "Did you mean --seconds?"),
        ("x --warp", "Did you mean --camera?"),
        ("x --zzzzqqqq", "The flags are --seconds, --ar,"),
        ("x --seconds -1", "a number of seconds above 0"),
        ("x --seconds nan", "a number of seconds above 0"),
        ("x --seconds inf", "a number of seconds above 0"),
        ("x --seconds", "as in --seconds 5"),
        ("x --seconds --loop", "as in --seconds 5"),
        ("x --seed 7 --seed 8", "--seed is there twice"),
        ("x --seed 4294967296", "from 0 to 4294967295"),
        ("x --seed -1", "a whole number"),
        ("x --seed 1.5", "a whole number"),
        ("x --seed ٣", "a whole number"),
        ("x --ar 16:10", "one of 16:9, 9:16, 1:1, 4:3, 3:4, 21:9"),
        ("x --res huge", "480p, 720p or 1080p"),
        ("x --motion 11", "a number from 0 to 10"),
        ("x --loop=yes", "--loop takes no value"),
        ('x --camera "pan sideways"', "pan left, pan right, tilt up"),
        ('x --camera "pan up"', "Write pan left or pan right"),
        ('x --camera "zoom in 20°"', "zoom has no angle"),
        ('x --camera "orbit left 90°"', "up to 40°"),
        ('x --camera "pan right 11"', "from 0 to 10"),
        ("y" * 10_000, "up to 2000 characters; this one has 10000"),
        ("broken \ud800 text", "UTF-8"),
    ],
)
def test_refuses_with_what_is_allowed(line: str, says: str) -> None:
    with pytest.raises(BadPrompt) as caught:
        parse(line)
    assert says in caught.value.sentence


def test_fields_beat_flags_and_speak_the_same_way() -> None:
    draft = with_fields(parse("x --seconds 5 --loop"), {"seconds": 7, "loop": False, "ar": "1:1"})
    assert draft == Draft("x", seconds=7.0, aspect="1:1", loop=False)
    assert with_fields(Draft("x"), {"seed": None, "neg": ""}) == Draft("x")
    with pytest.raises(BadPrompt, match="--seconds wants a number of seconds above 0"):
        with_fields(Draft("x"), {"seconds": -1})
    with pytest.raises(BadPrompt, match="seed wants a whole number"):
        with_fields(Draft("x"), {"seed": True})
    with pytest.raises(BadPrompt, match=r"Did you mean --model\?"):
        with_fields(Draft("x"), {"modell": "a"})


DRAFTS = st.builds(
    Draft,
    prompt=st.text(
        st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=60
    ).map(lambda text: parse_safely(text)),
    negative_prompt=st.none() | st.sampled_from(["blur", "text, blur", 'a "quoted" word', "--x"]),
    seconds=st.none() | st.integers(1, 600).map(lambda tenths: tenths / 10),
    aspect=st.none() | st.sampled_from(ASPECTS),
    resolution=st.none() | st.sampled_from(["480p", "720p"]),
    seed=st.none() | st.integers(0, 2**32 - 1),
    camera=st.none() | st.just((CameraMove("roll", "left", 2.5), CameraMove("static", "", 5.0))),
    motion=st.none() | st.integers(0, 10).map(float),
    steps=st.none() | st.integers(1, 200),
    loop=st.booleans(),
)


def parse_safely(text: str) -> str:
    """What is left of any text as a prompt; "" where it is refused."""
    try:
        return parse(text).prompt
    except BadPrompt:
        return ""


@given(DRAFTS)
def test_a_recipe_gives_its_draft_again(draft: Draft) -> None:
    assert parse(recipe(draft)) == draft


@given(st.text(max_size=300))
def test_any_text_is_a_draft_or_a_clear_sentence(text: str) -> None:
    try:
        parse(text)
    except BadPrompt as refused:
        assert refused.sentence.endswith((".", "?"))


def test_every_flag_teaches_an_example_that_works() -> None:
    for flag in FLAGS:
        assert parse(f"x --{flag.name} {flag.example}".strip()) != Draft("x")


@pytest.mark.parametrize(
    ("said", "prompt"),
    [
        ("again, but at night", "a red ball bouncing, at night"),
        ("but at night", "a red ball bouncing, at night"),
        ("with snow", "a red ball bouncing, with snow"),
        ("and a blue sky", "a red ball bouncing, a blue sky"),
        ("once more", "a red ball bouncing"),
        ("a green cube", "a green cube"),
        ("more snow than before", "more snow than before"),
    ],
)
def test_words_about_a_clip_go_on_or_take_their_place(said: str, prompt: str) -> None:
    before = parse("a red ball bouncing. --seconds 3 --seed 7")
    assert edited(before, parse(said)).prompt == prompt


def test_values_that_are_not_named_stay_but_for_the_seed() -> None:
    before = parse("a ball --seconds 3 --seed 7 --loop")
    after = edited(before, parse("again --res 480p"))
    assert after == Draft("a ball", seconds=3.0, resolution="480p", loop=True)
    assert edited(before, parse("again --seed 9")).seed == 9
