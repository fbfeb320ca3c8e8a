"""Words of any kind are felt by the real process, which can open no file once it is there."""

from __future__ import annotations

from model.inspect.head import CLAUSES
from model.inspect.inspector import LocalInspector

ODD = (
    "a café in Paris",
    "a girl’s kite",
    "дети играют в снегу",
    "孩子们在公园里放风筝",
    "桜の木の下で猫が眠る",
    "طفل يلعب بالكرة",
    "ในสวนมีแมว",
    "ｆｕｌｌｗｉｄｔｈ ｌｅｔｔｅｒｓ",
    "a r e d b a l l",
    "4 r3d b4ll",
    "llab der a",
    "сat with а Latin tail",
    "z̷̨a̶l̸g̵o̴",
    "👩‍🚀🎈",
    "٣ balls, ½ a moon, Ⅳ cats",
    "\u202eabc\u202c",
    "ß ĳ ǆ ﬁ Å",
    "?!…",
)


async def test_words_of_any_script_and_dress_are_felt() -> None:
    async with LocalInspector() as inspector:
        for text in ODD:
            scores = await inspector.words(text)
            assert set(scores) == set(CLAUSES), text
