"""The head's card: what it was made of, and what was measured; no figure is typed by hand."""

from __future__ import annotations

from collections.abc import Mapping

from model.inspect.training.lessons import FLAGGED, LINES
from model.inspect.training.prompts import ALIKE, HELD_BACK, WORDS_ALIKE

HEAD = f"""\
# head.npz

What Kinora feels about the words of a prompt: how sure it is that one of six clauses of its policy
is broken (sexual, gore, violence, hate, self-harm, illegal). From 0.5 on a prompt waits for a
moderator; it refuses nothing by itself.

One hidden layer over sentence embeddings, and a weight for each hashed word. Apache-2.0.

## Made of

- The project's own sentences (`model/inspect/training/lexicon`): scenes that the policy forbids, in
  fourteen languages beside English, and scenes that only sound like them.
- Prompts that are not shipped: VBench, VBench-2 and its Chinese, PartiPrompts (Apache-2.0); I2P
  (Schramowski et al., MIT); OpenAI's moderation set (Markov et al., MIT); XSTest (Röttger et al.,
  CC-BY-4.0). Adversarial Nibbler (CC-BY-4.0) is neither learned nor judged: what it holds is not to
  be known from the words.
- Of I2P, whose labels come from pictures, "unsafe" is what is marked hard and was inappropriate in
  70 % of pictures or more, "safe" what is not hard and was in 10 % or less; many of both can't be
  told from the words, and what lies between is left out.

{HELD_BACK} % of each set is held back, chosen by a checksum of the text; what has a cosine above
{ALIKE} or shares more than {WORDS_ALIKE:.0%} of its words with such a prompt is not learned from.
The line is drawn where {FLAGGED:.1%} of the worse of {" and ".join(LINES)} is flagged, of prompts
that a head has not learned from.

## What it is bad at

It was drawn for prompts for clips and pictures. It holds every second prompt of I2P that is said to
be safe (dark art, politicians, horror), a third of harmless scenes with a word of harm in them, and
most long forum texts, of which it learned little. Where a clause is named, it may be a neighbour:
whether anything is broken is surer than what. What can only be known from a picture it can't know.

## Flagged, in percent (by the head alone; how many prompts in brackets)

"""

TITLES = {
    "held back": "What was held back of each set",
    "i2p": "Trained without I2P",
    "openai_mod": "Trained without OpenAI's set",
    "xstest": "Trained without XSTest",
    "all three": "Trained on the project's own sentences and benign prompts alone",
    "own scenes": "Trained without three in ten of the project's own scenes, and judged on those",
}


def written(report: Mapping[str, Mapping[str, float]]) -> str:
    parts = [HEAD]
    for name, found in report.items():
        parts.append(f"{TITLES[name]}:\n\n| prompts | flagged |\n| --- | --- |\n")
        parts.extend(f"| {what} | {percent} |\n" for what, percent in found.items())
        parts.append("\n")
    return "".join(parts).rstrip() + "\n"
