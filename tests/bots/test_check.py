"""`kinora check`: an operator asks what the gates make of words, and edits the rules."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.program import command


async def test_an_operator_tunes_the_rules_from_the_shell(tmp_path: Path) -> None:
    """Verdicts with a list of one's own, then rows of tests, then a file that can't be read."""
    asks = tmp_path / "asks.jsonl"
    asks.write_text(
        '{"text": "a woman in lingerie", "level": "strict"}\n'
        '{"text": "a red balloon", "negative": "nude"}\n"Jane Roe on a bicycle"\n'
    )
    own = tmp_path / "data" / "safety" / "lists.toml"
    own.parent.mkdir(parents=True)
    own.write_text(
        '[people]\nwords = ["Jane Roe"]\n[[test]]\ntext = "Jane Roe"\nexpect = "person"\n'
        '[[test]]\ntext = "John Roe"\nexpect = "person"\n'
    )
    status, said, complained = await command(
        tmp_path, "check", "a naked woman", "a bloody mary", "--lines", str(asks), "--quick",
        "--json",
    )  # fmt: skip
    assert status == 0, complained
    looked = [json.loads(line) for line in said.splitlines()]
    assert [(one["verdict"], one["clause"], one["rule"]) for one in looked] == [
        ("refuse", "sexual", "en/nudity"),
        ("pass", None, ""),
        ("hold", "sexual", "en/suggestive"),
        ("pass", None, ""),
        ("hold", "person", "people"),
    ]
    assert looked[0]["reason"] == "No nudity and no sexual acts here."

    status, said, _ = await command(tmp_path, "check", "--rules")
    assert status == 1
    assert "lists.toml: John Roe (standard): person was expected, pass came" in said

    own.write_text('[people]\nwords = "Jane Roe"\n')
    status, _, complained = await command(tmp_path, "check", "Jane Roe", "--quick")
    assert status == 1
    assert "lists.toml: Line 2: [people] words: write a list of words" in complained
    status, said, _ = await command(tmp_path, "doctor", "--json")
    rules = [one for one in json.loads(said) if one["what"] == "Rules"]
    assert [one["verdict"] for one in rules] == ["bad"]
    assert "write a list of words" in rules[0]["seen"]
    own.write_text('[people]\nwords = ["Jane Roe\n')
    for words in (("check", "Jane Roe", "--quick"), ("serve",)):
        status, said, complained = await command(tmp_path, *words)
        assert (status, said) == (1, "")
        assert str(own) in complained
        assert "line 2" in complained


async def test_lines_that_say_nothing_are_named_and_stop_no_other(tmp_path: Path) -> None:
    asks = tmp_path / "asks.jsonl"
    asks.write_text(
        '{"txt": 1}\n[]\n{"text": "a"}\nno JSON\n{"text": "a", "level": "mild"}\n"b"\n'
        '{"text": "a", "level": ["strict"]}\n"\\ud800"\n' + "[" * 100_000
    )
    status, said, complained = await command(
        tmp_path, "check", "--lines", str(asks), "--quick", "--json"
    )
    assert status == 1
    assert [json.loads(line)["text"] for line in said.splitlines()] == ["a", "b"]
    assert re.findall(r"^Line (\d)\b", complained, re.MULTILINE) == list("1245789")
