"""The model card beside the weights: what they were made of, how, and what the judge says of them.

`python -m model.pocket.card REPORT RUN` writes MODEL_CARD.md from the judge's report and the run's
training logs, so that no figure in it is typed by hand.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from model.pocket import facts, weights, words

_HEAD = """\
---
library_name: diffusers
pipeline_tag: text-to-video
license: apache-2.0
---

# pocket

A miniature of Wan 2.2 TI2V in diffusers' own layout, trained from nothing on scenes that this
project draws itself. It draws one or two simple animated things in front of a simple background,
and knows nothing else of the world. `WanPipeline` and `WanImageToVideoPipeline` load it unmodified.
"""

STAGES: Final = {
    "vae": "Autoencoder",
    "decoder": "Its decoder alone",
    "dit": "Text encoder and transformer",
    "distil": "Few-step transformer",
}
"""Names of the training logs, and what they trained."""


def write(
    folder: Path, report: Mapping[str, Any], training: Mapping[str, str], *, weak: str
) -> None:
    """MODEL_CARD.md in `folder`. weak: what the model does badly, in a sentence or two."""
    suiting = facts.read(folder)
    settings = report["settings"]
    sizes = ", ".join(f"{width}×{height}" for width, height in suiting.sizes)
    parts = [
        _HEAD,
        "## What it knows\n",
        *(f"- {kind}: {', '.join(phrases)}" for kind, phrases in words.VOCABULARY.items()),
        "\nOther words don't break it; they are all one unknown word to it.\n",
        "## How it was made\n",
        "- Data: `model/pocket/scenes.py` and `drawing.py`, drawn by formula and captioned in many"
        " phrasings; nothing from outside. One in ten combinations of shape, colour and"
        " background held out.",
        *(f"- {name}: {value}" for name, value in training.items()),
        "\n## How to sample\n",
        f"{sizes}; {suiting.num_frames} frames, shown at {suiting.frame_rate} a second;"
        f" {suiting.num_inference_steps} steps, guidance {suiting.guidance_scale},"
        f" `max_sequence_length={suiting.max_sequence_length}`, the padding of its training.\n",
        "## What the judge says\n",
        f"{report['prompts']} prompts of held-out combinations, {settings['num_inference_steps']}"
        f" steps, guidance {settings['guidance_scale']}; `model/pocket/judge.py` looks at pixels"
        " and shares no code with the renderer.\n",
        "| | |\n|---|---|",
        *(
            f"| {kind.replace('_', ' ')} | {report[kind]:.0%} |"
            for kind in ("colour", "background", "shape", "motion", "motion_loosely", "camera")
        ),
        f"| autoencoder, held-out pictures | {report['vae_pictures_db']:.1f} dB |",
        f"| autoencoder, held-out clips | {report['vae_clips_db']:.1f} dB |",
        *_given(report.get("given", {})),
        f"| seconds a clip, shared machine | {report['seconds_per_clip']:.2f} |",
        "\nThe judge itself, on the renderer's own clips:"
        f" {_shares(report['judge_on_own_clips'])}.\n",
        "## What it cannot do\n",
        weak,
        "\n## Files\n",
        *(f"- `{name}` sha256 {digest}" for name, digest in weights.checksums(folder).items()),
    ]
    (folder / "MODEL_CARD.md").write_text("\n".join(parts).rstrip() + "\n")


def training_of(run: Path, hardware: str, seed: int, remarks: str) -> dict[str, str]:
    """What the training logs of a run say about it."""
    made: dict[str, str] = {}
    for name, title in STAGES.items():
        log = run / f"{name}.jsonl"
        if log.exists():
            last = json.loads(log.read_text().splitlines()[-1])
            made[title] = f"{last['step']} steps in {last['minutes']:.0f} minutes, Muon"
    return {**made, "Hardware": hardware, "Seed": str(seed), "Remarks": remarks or "none"}


def _given(figures: Mapping[str, float]) -> list[str]:
    """Rows of what `keeping` found."""
    rows = (
        ("first_db", "a given first picture, in its frame", "{:.1f} dB"),
        ("motion", "motion going on from it", "{:.0%}"),
        ("last_db", "a given last picture, in its frame", "{:.1f} dB"),
        ("minute_drift", "largest change of the border's colour over a minute", "{:.1%}"),
        ("minute_kept", "minutes that end in the asked colours", "{:.0%}"),
    )
    return [
        f"| {what} | {shown.format(figures[name])} |"
        for name, what, shown in rows
        if name in figures
    ]


def _shares(agreed: Mapping[str, float]) -> str:
    return ", ".join(f"{kind} {share:.0%}" for kind, share in agreed.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path, help="judged.json")
    parser.add_argument("run", type=Path, help="the training run's folder")
    parser.add_argument("--weights", type=Path, default=facts.FOLDER)
    parser.add_argument("--hardware", default="two CPU cores shared with other work, no GPU")
    parser.add_argument("--weak", default="", help="what it does badly, in a sentence or two")
    parser.add_argument("--remarks", default="", help="what the logs don't say of the training")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    report = json.loads(options.report.read_text())
    training = training_of(options.run, options.hardware, options.seed, options.remarks)
    write(options.weights, report, training, weak=options.weak)


if __name__ == "__main__":
    main()
