"""Words in disguise are read as they are meant, and plain ones stay."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.safety.normalise import normalise
from tests.safety.obfuscations import MORE, TEN

SCENES = (
    "a naked woman walking on the beach at sunset",
    "the soldier is stabbed with a knife, blood everywhere",
)


@pytest.mark.parametrize("disguise", {**TEN, **MORE})
def test_a_disguise_is_taken_off(disguise: str) -> None:
    for scene in SCENES:
        wanted = {word for word in scene.replace(",", "").split() if len(word) > 3}
        read = set(normalise({**TEN, **MORE}[disguise](scene)).replace(",", " ").split())
        assert wanted <= read, (disguise, sorted(wanted - read))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("n*de", "nude"),
        ("na.ked, nu-de", "naked, nude"),
        ("pu55y a$$ k1ll b1ood", "pussy ass kill blood"),
        ("порнo", "порно"),
        ("裸 体", "裸体"),
        ("ｶﾞｲﾄﾞ", "ガイド"),
    ],
)
def test_words_that_are_hidden_come_out(written: str, meant: str) -> None:
    assert normalise(written) == meant


@pytest.mark.parametrize(
    "plain",
    [
        "4k, 8k, 35mm, 1080p at 60fps, mp4, the 1950s, r2d2, co2, 3d, 1boy",
        "женщина идет по улице, мой чай",
        "一个女人在海边散步",
        "がぎ ガイド とても",
        "der mann und die frau in der stadt",
        "a blue pen is used to write; a rock'n'roll photo-realistic top-down view",
        "chapter viii, www and @john at 3:45pm",
        "ความงาม हिन्दी עברית العربية",
    ],
)
def test_plain_words_stay(plain: str) -> None:
    assert normalise(plain) == plain


@given(st.text(max_size=120) | st.text(alphabet="a na.k*e3d1 -_оеxx", max_size=60))
@example("a. .n.a.k.e.d")
@example("\u0345")
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
