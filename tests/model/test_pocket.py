"""Pocket: its words and the weights that are shipped."""

from __future__ import annotations

import pytest
import torch

from model.pocket import denoiser, facts, judge, sight, weights, words

torch.set_num_threads(1)


def test_understood_names_the_known_words_in_order() -> None:
    prompt = "A red ball bouncing on a blue background, cinematic masterpiece"
    assert words.understood(prompt) == ("red", "ball", "bouncing", "blue background")
    assert words.understood("Ein Hund im Schnee") == ()
    assert words.understood("a starfish reddens") == ()


def test_concepts_name_what_the_words_ask_for() -> None:
    assert words.concepts("a crimson disc rises at night") == {
        "colour": "red",
        "shape": "ball",
        "motion": "up",
        "background": "night",
    }


def test_every_phrase_is_made_of_tokens_the_model_has() -> None:
    tokenizer = denoiser.build_tokenizer()
    for phrases in words.VOCABULARY.values():
        for phrasings in phrases.values():
            for phrasing in phrasings:
                assert tokenizer.unk_token_id not in tokenizer(phrasing).input_ids, phrasing


@pytest.fixture(scope="module")
def draw() -> judge.Draw:
    return judge.drawer(weights.load(), facts.read())


def test_the_shipped_weights_are_small() -> None:
    files = list(facts.FOLDER.rglob("*.safetensors"))
    assert len(files) == 3
    assert sum(path.stat().st_size for path in files) < 40e6


@pytest.mark.parametrize(
    ("prompt", "colour", "background"),
    [
        ("a red ball bouncing on a blue background", "red", "blue"),
        ("a yellow square moving left on a black background", "yellow", "black"),
        ("a white heart not moving on a green background", "white", "green"),
    ],
)
def test_the_shipped_weights_draw_the_colours_asked_for(
    draw: judge.Draw, prompt: str, colour: str, background: str
) -> None:
    clip = draw(prompt, 1)
    suiting = facts.read()
    assert clip.shape == (suiting.num_frames, *suiting.sizes[0], 3)
    seen = sight.look(clip)
    assert seen.things[0].colour == colour
    assert seen.background == background
