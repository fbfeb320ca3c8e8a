"""The words-to-motion half of pocket: tokenizer, text encoder, diffusion transformer, their loss.

The classes are those of Wan 2.2 TI2V (UMT5 encoder, `WanTransformer3DModel` with a time for each
token), only small. Knows nothing of pixels: it works on the autoencoder's normalised latents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from diffusers import WanPipeline, WanTransformer3DModel
from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordLevel
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel

from model.pocket import hardware, words
from model.pocket.autoencoder import LATENT_CHANNELS

MAX_WORDS: Final = 32
"""Tokens of a prompt, end mark included; the pipeline's `max_sequence_length`."""
TRAIN_TIMESTEPS: Final = 1000
PREDICTION: Final = "v_prediction"
"""What the transformer says, in diffusers' words; see `Words2Latents.velocity`."""

_PAD, _END, _UNKNOWN = "<pad>", "</s>", "<unk>"


@dataclass(frozen=True, slots=True)
class Size:
    """How big the two networks are."""

    width: int = 192
    layers: int = 6
    heads: int = 4
    feed_forward: int = 576
    text_width: int = 96
    text_layers: int = 2


DEFAULT_SIZE: Final = Size()


class Words2Latents(nn.Module):
    """Text encoder and transformer as one module, so that they train and average together."""

    def __init__(self, size: Size, channels: int = LATENT_CHANNELS) -> None:
        super().__init__()
        self.tokenizer = build_tokenizer()
        self.text_encoder = _build_text_encoder(size, len(self.tokenizer))
        self.transformer = WanTransformer3DModel(
            patch_size=(1, 2, 2),
            num_attention_heads=size.heads,
            attention_head_dim=size.width // size.heads,
            in_channels=channels,
            out_channels=channels,
            text_dim=size.text_width,
            freq_dim=128,
            ffn_dim=size.feed_forward,
            num_layers=size.layers,
            cross_attn_norm=True,
            rope_max_seq_len=64,
        )
        nn.init.zeros_(self.transformer.proj_out.weight)
        nn.init.zeros_(self.transformer.proj_out.bias)

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def read(self, captions: Sequence[str]) -> Tensor:
        """Text states (batch, MAX_WORDS, text width), zero beyond the words as in the pipeline."""
        ids = self.tokenizer(
            list(captions),
            padding="max_length",
            max_length=MAX_WORDS,
            truncation=True,
            return_tensors="pt",
        )
        longest = int(ids.attention_mask.sum(dim=1).max())
        places: Tensor = ids.input_ids[:, :longest].to(self.device)
        mask: Tensor = ids.attention_mask[:, :longest].to(self.device)
        states = self.text_encoder(places, mask).last_hidden_state * mask[..., None]
        return nn.functional.pad(states, (0, 0, 0, MAX_WORDS - longest))

    def velocity(
        self, noisy: Tensor, captions: Sequence[str], given: Tensor, times: Tensor
    ) -> Tensor:
        """Predicted noise − latents, (batch, channels, frames, height, width).

        The transformer says velocity − noisy: diffusers' "v_prediction" with flow sigmas, where the
        clip is (1 − t)·noisy − t·output. A token holds as many numbers as the network is wide; to
        say the velocity itself it would have to carry all of the noise through, and what is lost
        of it is error (cf. Li and He 2025, "Back to basics: let denoising generative models
        denoise"). Near noise it now says the clip, near the clip what is left to remove.

        given: (frames,) bool, the latent frames handed over clean, at time 0.
        times: (batch,) in 0…1, 1 being noise, of the others.
        """
        height, width = noisy.shape[3:]
        tokens = (height // 2) * (width // 2)
        by_frame = times[:, None] * (~given).float()[None]
        by_token = (by_frame * TRAIN_TIMESTEPS).repeat_interleave(tokens, dim=1)
        with hardware.attention(noisy.device):
            out: Tensor = self.transformer(noisy, by_token, self.read(captions), return_dict=False)[
                0
            ]
        return out.float() + noisy

    def flow_loss(
        self,
        latents: Tensor,
        captions: Sequence[str],
        given: Tensor,
        times: Tensor,
        *,
        roughness: float = 0.0,
    ) -> Tensor:
        """Squared error of the predicted velocity, over what is not given.

        latents: (batch, channels, frames, height, width), normalised. given, times: as `velocity`.
        roughness: noise on what is given, as a share of its deviation, so that a long clip forgives
        its own small errors.
        """
        free = (~given).float()[None, None, :, None, None]
        noise = torch.randn_like(latents)
        level = free * times[:, None, None, None, None] + (1 - free) * roughness
        noisy = latents + level * (noise - free * latents)
        error = (self.velocity(noisy, captions, given, times) - (noise - latents)).square() * free
        batch, channels, _, height, width = latents.shape
        mean: Tensor = error.sum() / (free.sum() * batch * channels * height * width)
        return mean


def plain_parameters(module: nn.Module) -> list[nn.Parameter]:
    """Matrices that aren't maps between hidden states: tables, which AdamW suits better."""
    tables = ("scale_shift_table", "shared", "relative_attention_bias")
    return [
        parameter
        for name, parameter in module.named_parameters()
        if any(table in name for table in tables)
    ]


def take_over(model: Words2Latents, pipeline: WanPipeline) -> None:
    """Start from an earlier model of the same width: its words, and its layers.

    Words that it didn't know stay new. Layers that it didn't have begin as doing nothing.
    Raises ValueError for a model that says something else than this one (see `velocity`).
    """
    says = pipeline.scheduler.config.prediction_type
    if says != PREDICTION:
        raise ValueError(f'the earlier model says "{says}"; this one says "{PREDICTION}"')
    known = pipeline.tokenizer.get_vocab()
    state = pipeline.text_encoder.float().state_dict()
    for name in ("shared.weight", "encoder.embed_tokens.weight"):
        table = model.text_encoder.state_dict()[name].clone()
        for word, place in model.tokenizer.get_vocab().items():
            if word in known:
                table[place] = state[name][known[word]]
        state[name] = table
    model.text_encoder.load_state_dict(state)
    earlier = pipeline.transformer.float()
    model.transformer.load_state_dict({**model.transformer.state_dict(), **earlier.state_dict()})
    for block in list(model.transformer.blocks)[len(earlier.blocks) :]:
        for last in (block.attn1.to_out[0], block.attn2.to_out[0], block.ffn.net[2]):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)


def sample_times(count: int, *, shift: float) -> Tensor:
    """Logit-normal times, moved towards noise by `shift` as flow-matching schedulers do."""
    even = torch.sigmoid(torch.randn(count))
    return shift * even / (1 + (shift - 1) * even)


def build_tokenizer() -> PreTrainedTokenizerFast:
    """One token for each known word; anything else is `<unk>`."""
    vocabulary = [_PAD, _END, _UNKNOWN, *words.lexicon()]
    core = Tokenizer(WordLevel({word: i for i, word in enumerate(vocabulary)}, unk_token=_UNKNOWN))
    core.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()]
    )
    core.post_processor = processors.TemplateProcessing(
        single=f"$A {_END}", special_tokens=[(_END, vocabulary.index(_END))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token=_PAD,
        eos_token=_END,
        unk_token=_UNKNOWN,
        model_max_length=MAX_WORDS,
    )


def _build_text_encoder(size: Size, vocabulary: int) -> UMT5EncoderModel:
    config = UMT5Config(
        vocab_size=vocabulary,
        d_model=size.text_width,
        d_kv=size.text_width // 4,
        d_ff=size.text_width * 2,
        num_layers=size.text_layers,
        num_heads=4,
        relative_attention_num_buckets=16,
        relative_attention_max_distance=32,
        dropout_rate=0.0,
        pad_token_id=0,
        eos_token_id=1,
        use_cache=False,
    )
    return UMT5EncoderModel(config)
