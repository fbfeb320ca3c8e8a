"""A Wan checkpoint of random weights, small enough for a test, in the real classes."""

from __future__ import annotations

from pathlib import Path


def save(folder: Path, *, expand_timesteps: bool = True) -> None:
    """Write it in diffusers' layout: 48 latent channels, 16 pixels and 4 frames a latent."""
    import torch
    from diffusers import (
        AutoencoderKLWan,
        UniPCMultistepScheduler,
        WanPipeline,
        WanTransformer3DModel,
    )
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel

    torch.manual_seed(0)
    words = ["<pad>", "</s>", "<unk>", "a", "red", "blue", "ball", "bouncing"]
    tokenizer = Tokenizer(
        models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="<unk>")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    latent = 8
    pipeline = WanPipeline(
        tokenizer=PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
        ),
        text_encoder=UMT5EncoderModel(
            UMT5Config(vocab_size=8, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
        ),
        vae=AutoencoderKLWan(
            base_dim=8,
            decoder_base_dim=8,
            z_dim=latent,
            dim_mult=[1, 1, 1],
            num_res_blocks=1,
            attn_scales=[],
            temperal_downsample=[True, True],
            latents_mean=[0.0] * latent,
            latents_std=[1.0] * latent,
            is_residual=True,
            in_channels=48,
            out_channels=48,
            patch_size=4,
            scale_factor_temporal=4,
            scale_factor_spatial=16,
        ),
        scheduler=UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
        ),
        transformer=WanTransformer3DModel(
            patch_size=(1, 2, 2),
            num_attention_heads=2,
            attention_head_dim=12,
            in_channels=latent,
            out_channels=latent,
            text_dim=16,
            freq_dim=16,
            ffn_dim=32,
            num_layers=1,
        ),
        expand_timesteps=expand_timesteps,
    )
    pipeline.save_pretrained(folder)
