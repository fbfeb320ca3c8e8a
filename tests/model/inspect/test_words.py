"""Words of any kind are felt by the real process, which can open no file once it is there."""

from __future__ import annotations

from pathlib import Path

from core.safety.gate import Gate, Words
from core.safety.level import Level
from core.safety.policy import current
from core.safety.rulebook import Rulebook
from core.safety.verdict import Ruling
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


async def test_what_an_operator_allows_is_not_felt(tmp_path: Path) -> None:
    said = Words("Decapitated Corpses play their new song on a stage")
    async with LocalInspector() as inspector:
        assert (await Gate(inspector, current(Rulebook())).words(said, Level.STANDARD)).ruling
        (tmp_path / "lists.toml").write_text('allow = ["decapitated corpses"]\n')
        gate = Gate(inspector, current(Rulebook(tmp_path)))
        assert (await gate.words(said, Level.STANDARD)).ruling is Ruling.PASS
        beside = Words(f"{said.prompt}, guts and blood everywhere")
        assert (await gate.words(beside, Level.STANDARD)).ruling is not Ruling.PASS
