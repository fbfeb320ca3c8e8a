"""`kinora check`: an operator asks what the gates make of words, and edits the rules."""

from __future__ import annotations

import json
from pathlib import Path

from tests.program import command


async def test_an_operator_tunes_the_rules_from_the_shell(tmp_path: Path) -> None:
    """Verdicts, then a list of one's own, then rows of tests, then a file that can't be read."""
    lines = tmp_path / "asks.jsonl"
    lines.write_text(
        '{"text": "a woman in lingerie", "level": "strict"}\n'
        '{"text": "a red balloon", "negative": "nude"}\n"Jane Roe on a bicycle"\n'
    )
    ask = ("check", "a naked woman", "a bloody mary", "--lines", str(lines), "--quick", "--json")
    status, said, complained = await command(tmp_path, *ask)
    assert status == 0, complained
    looked = [json.loads(line) for line in said.splitlines()]
    verdicts = [(one["verdict"], one["clause"], one["rule"]) for one in looked]
    assert verdicts == [
        ("refuse", "sexual", "en/nudity"),
        ("pass", None, ""),
        ("hold", "sexual", "en/suggestive"),
        ("pass", None, ""),
        ("pass", None, ""),
    ]
    assert looked[0]["reason"] == "No nudity and no sexual acts here."

    own = tmp_path / "data" / "safety" / "lists.toml"
    own.parent.mkdir(parents=True)
    own.write_text(
        '[people]\nwords = ["Jane Roe"]\n[[test]]\ntext = "Jane Roe"\nexpect = "person"\n'
        '[[test]]\ntext = "John Roe"\nexpect = "person"\n'
    )
    status, said, _ = await command(tmp_path, *ask)
    assert json.loads(said.splitlines()[-1])["clause"] == "person"
    status, said, _ = await command(tmp_path, "check", "--rules")
    assert status == 1
    assert "lists.toml: John Roe (standard): person was expected, pass came" in said

    own.write_text('[people]\nwords = "Jane Roe"\n')
    status, _, complained = await command(tmp_path, "check", "Jane Roe", "--quick")
    assert status == 1
    assert "lists.toml" in complained
    assert "write a list of words" in complained
    status, said, _ = await command(tmp_path, "doctor", "--json")
    rules = [one for one in json.loads(said) if one["what"] == "Rules"]
    assert [one["verdict"] for one in rules] == ["bad"]
    assert "write a list of words" in rules[0]["seen"]


async def test_what_is_wrong_with_an_ask_is_one_sentence(tmp_path: Path) -> None:
    lines = tmp_path / "asks.jsonl"
    lines.write_text('{"text": "a"}\n{"txt": 1}\n')
    status, _, complained = await command(tmp_path, "check", "--lines", str(lines), "--quick")
    assert (status, "Line 2 is no JSON such as" in complained) == (1, True)
    status, _, complained = await command(tmp_path, "check")
    assert (status, "Say what to look at" in complained) == (1, True)
