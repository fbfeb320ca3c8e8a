"""Pocket: its scenes, its words, its judge, its training code and the weights that are shipped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from model.pocket import autoencoder, denoiser, judge, latents, scenes, train, weights, words
from model.pocket.optimizer import Muon
from model.pocket.progress import Progress

SIDE = 96

torch.set_num_threads(1)


def _scene(**changes: object) -> scenes.Scene:
    rng = np.random.default_rng(0)
    plain = scenes.compose(rng, "ball", "red", "blue", "still")
    return replace(plain, **changes)  # type: ignore[arg-type]


def _clips(count: int, *, held_out: bool = True) -> tuple[list[judge.Asked], list[judge.Frames]]:
    rng = np.random.default_rng(3)
    drawn = [scenes.sample_scene(rng, held_out=held_out) for _ in range(count)]
    asked = [
        judge.Asked(scenes.plain_caption(s), s.colour, s.shape, s.motion, s.background)
        for s in drawn
    ]
    return asked, [scenes.draw(s, frames=9, height=SIDE, width=SIDE) for s in drawn]


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


def test_a_caption_is_understood_as_the_scene_it_was_written_for() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        scene = scenes.sample_scene(rng)
        asked = words.concepts(scenes.plain_caption(scene))
        assert asked["colour"] == scene.colour
        assert asked["shape"] == scene.shape
        assert asked["motion"] == scene.motion
        assert asked["background"] == scene.background


def test_training_never_draws_a_held_out_combination() -> None:
    rng = np.random.default_rng(2)
    for held_out in (False, True):
        for _ in range(100):
            scene = scenes.sample_scene(rng, held_out=held_out)
            reserved = scenes.is_held_out(scene.shape, scene.colour, scene.background)
            assert reserved is held_out


def test_a_scene_draws_the_same_pixels_twice_at_any_size() -> None:
    scene = _scene(motion="left")
    first = scenes.draw(scene, frames=5, height=64, width=96)
    assert first.shape == (5, 64, 96, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, scenes.draw(scene, frames=5, height=64, width=96))


@pytest.mark.parametrize("shape", list(words.SHAPES))
def test_every_shape_is_whole_and_inside_the_picture(shape: str) -> None:
    clip = scenes.draw(_scene(shape=shape), frames=1, height=SIDE, width=SIDE)
    mask = judge.object_mask(clip[0])
    assert 0.02 < mask.mean() < 0.35
    assert not mask[0].any()
    assert judge.name_shape(mask)[0] == shape


def test_the_judge_agrees_with_the_renderer() -> None:
    asked, clips = _clips(60)
    agreed = judge.score(asked, [judge.look(clip) for clip in clips])
    assert min(agreed.values()) > 0.9, agreed


def test_the_judge_catches_wrong_clips() -> None:
    asked, clips = _clips(60)
    seen = [judge.look(clip) for clip in clips]
    shifted = judge.score(asked, seen[1:] + seen[:1])
    assert max(shifted.values()) < 0.35, shifted


def test_the_judge_sees_nothing_in_an_empty_picture() -> None:
    seen = judge.look(np.full((5, SIDE, SIDE, 3), (30, 60, 200), np.uint8))
    assert seen == judge.Seen(None, None, None, "blue")


def test_single_frame_convolutions_give_what_causal_ones_give() -> None:
    torch.manual_seed(0)
    vae = autoencoder.build()
    pixels = torch.randn(1, 3, 5, 32, 32)
    with torch.no_grad():
        slow = autoencoder.encode(vae, pixels)
        with autoencoder.flat_convolutions():
            fast = autoencoder.encode(vae, pixels)
    torch.testing.assert_close(fast, slow, atol=1e-4, rtol=1e-3)


def test_the_unclamped_decoder_is_the_library_s_decoder() -> None:
    torch.manual_seed(0)
    vae = autoencoder.build().eval()
    code = torch.randn(1, autoencoder.LATENT_CHANNELS, 2, 2, 2)
    with torch.no_grad():
        ours = autoencoder.decode_unclamped(vae, code).clamp(-1, 1)
        torch.testing.assert_close(ours, vae.decode(code).sample)


def test_the_autoencoder_overfits_one_picture() -> None:
    torch.manual_seed(0)
    vae = autoencoder.build(base=16)
    optimizer = Muon(vae.parameters(), rate=5e-3)
    clip = scenes.draw(_scene(), frames=1, height=32, width=32)
    pixels = autoencoder.to_pixels([clip])
    with autoencoder.flat_convolutions():
        for _ in range(60):
            optimizer.zero_grad()
            torch.autograd.backward(autoencoder.reconstruction_loss(vae, pixels))
            optimizer.step()
    assert train.measure_psnr(vae, pixels) > 20


def test_the_denoiser_overfits_two_clips(tmp_path: Path) -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    shown = [_scene(colour="red"), _scene(colour="green", motion="left")]
    cache = latents.gather(torch.randn(2, 8, 2, 2, 2).bfloat16(), shown)
    size = denoiser.Size(width=48, layers=2, heads=2, feed_forward=96, text_width=32, text_layers=1)
    model = denoiser.Words2Latents(size, channels=8)
    optimizer = Muon(model.parameters(), rate=4e-3, plain=train.plain_parameters(model))
    losses = []
    for step in range(80):
        pictures, captions = cache.batch(rng, 16, single_frames=False, without_words=0.1)
        times = denoiser.sample_times(len(captions), shift=3)
        optimizer.zero_grad()
        loss = model.flow_loss(pictures, captions, given_first=step % 3 == 0, times=times)
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < 0.75 * np.mean(losses[:5])


def test_a_run_is_taken_up_where_it_was_saved(tmp_path: Path) -> None:
    first = Progress(tmp_path / "run.pt", minutes=10)
    first.step, first.worked_s = 7, 120.0
    first.save(weight=torch.ones(2))
    second = Progress(tmp_path / "run.pt", minutes=10)
    state = second.resume()
    assert state is not None
    assert torch.equal(state["weight"], torch.ones(2))
    assert second.step == 7
    assert 0.19 < second.fraction < 0.25


@pytest.fixture(scope="module")
def draw() -> judge.Draw:
    return judge.drawer(weights.load(), weights.facts())


def test_the_shipped_weights_are_small() -> None:
    files = list(weights.FOLDER.rglob("*.safetensors"))
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
    facts = weights.facts()
    assert clip.shape == (facts["num_frames"], *facts["sizes"][0], 3)
    seen = judge.look(clip)
    assert (seen.colour, seen.background) == (colour, background)
