"""Where pocket trains, as far as a machine without a GPU can tell."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from model.pocket import autoencoder, denoiser, distil, hardware, optimizer, train
from model.pocket.optimizer import Muon

torch.set_num_threads(1)

TINY = denoiser.Size(width=48, layers=2, heads=2, feed_forward=96, text_width=32, text_layers=1)
ELSEWHERE = torch.device("meta")
"""A device of torch's that has shapes and no numbers."""


@pytest.mark.parametrize(
    ("name", "gpus", "process", "chosen"),
    [
        (None, 0, 0, "cpu"),
        (None, 2, 0, "cuda:0"),
        (None, 2, 1, "cuda:1"),
        ("cpu", 2, 1, "cpu"),
        ("cpu", 0, 3, "cpu"),
        ("cuda", 2, 1, "cuda:1"),
        ("cuda:1", 2, 0, "cuda:1"),
    ],
)
def test_a_gpu_is_used_where_there_is_one(
    name: str | None, gpus: int, process: int, chosen: str
) -> None:
    assert hardware.choose(name, gpus=gpus, process=process) == torch.device(chosen)


@pytest.mark.parametrize(
    ("name", "gpus", "process", "words"),
    [
        ("cuda", 0, 0, "torch sees 0 GPUs here"),
        ("cuda:2", 2, 0, 'no "cuda:2"'),
        (None, 2, 2, 'no "cuda:2"'),
        ("tpu", 1, 0, 'give "cpu", "cuda" or "cuda:N"'),
        ("cpu:1", 1, 0, 'give "cpu", "cuda" or "cuda:N"'),
        ("cuda:x", 1, 0, 'give "cpu", "cuda" or "cuda:N"'),
    ],
)
def test_a_device_that_is_not_there_is_refused(
    name: str | None, gpus: int, process: int, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        hardware.choose(name, gpus=gpus, process=process)


def test_the_command_line_says_so_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    monkeypatch.setattr(sys, "argv", ["train", "--out", str(out), "--device", "cuda:99"])
    with pytest.raises(SystemExit):
        train.main()
    assert 'no "cuda:99"' in capsys.readouterr().err
    assert not out.exists()


class Together(TorchDispatchMode):
    """Fails where one operation meets tensors of two devices; single numbers may lie anywhere.

    The text encoder asks whether all captions are equally long: they aren't.
    """

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is torch.ops.aten._local_scalar_dense.default and args[0].device == ELSEWHERE:
            return False
        found = {
            leaf.device
            for leaf in tree_leaves((args, kwargs))
            if isinstance(leaf, torch.Tensor) and leaf.ndim
        }
        copies = func in (torch.ops.aten.copy_.default, torch.ops.aten._to_copy.default)
        assert copies or len(found) < 2, f"{func} meets {found}"
        return func(*args, **(kwargs or {}))


def test_what_is_forgotten_on_the_processor_is_found() -> None:
    with Together(), pytest.raises(AssertionError, match="meets"):
        torch.ones(2, device=ELSEWHERE) + torch.ones(2)


def test_the_autoencoder_learns_where_it_is() -> None:
    vae = autoencoder.build(base=16).to(ELSEWHERE)
    parameters = list(vae.parameters())
    muon = Muon(parameters, rate=1e-3)
    with Together(), autoencoder.flat_convolutions():
        for frames in (1, 5):
            pixels = torch.zeros(2, 3, frames, 32, 32).to(vae.device)
            loss = autoencoder.reconstruction_loss(vae, pixels, latent_noise=0.03)
            assert loss.device == ELSEWHERE
            optimizer.descend(muon, loss, parameters, 1e-3)


def test_words_and_motion_are_learnt_where_they_are() -> None:
    model = denoiser.Words2Latents(TINY, channels=8).to(ELSEWHERE)
    average = denoiser.Words2Latents(TINY, channels=8).to(ELSEWHERE)
    parameters = list(model.parameters())
    muon = Muon(parameters, rate=1e-3, plain=denoiser.plain_parameters(model))
    clean, given = torch.zeros(2, 8, 3, 2, 2), torch.tensor([True, False, False])
    times = denoiser.sample_times(2, shift=3).to(model.device)
    with Together():
        loss = model.flow_loss(
            clean.to(model.device), ["a red ball", ""], given.to(model.device), times
        )
        assert loss.device == ELSEWHERE
        optimizer.descend(muon, loss, parameters, 1e-3)
        optimizer.track(average, model, 1)


def test_few_steps_are_learnt_where_they_are() -> None:
    teacher = denoiser.Words2Latents(TINY, channels=8).to(ELSEWHERE)
    clean, given = torch.zeros(1, 8, 2, 2, 2), torch.tensor([True, False])
    with Together():
        ways = distil.walk(teacher, clean.to(ELSEWHERE), ["a red ball"], given.to(ELSEWHERE))
        assert ways.places.device == ELSEWHERE
        assert distil.loss_of(teacher, ways, 1).device == ELSEWHERE
