"""Settings as the README names them, and as the console shows them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bots.app import examine, house
from bots.misspelt import misspelt, paths
from bots.settings import PREFIX, Credits, Settings, shown
from core.errors import BadPrompt

README = Path(__file__).parents[2] / "README.md"
ONE_ONLY = {"KINORA_ENGINE"}
"""What has a single value yet."""


def named(words: str) -> set[str]:
    """Settings in a text; `…__B` behind `KINORA_A__X` is KINORA_A__B."""
    found: set[str] = set()
    level = ""
    for whole, rest in re.findall(r"(KINORA_[A-Z_]+)|…__([A-Z_]+)", words):
        found.add(whole or f"{level}__{rest}")
        level = whole.rpartition("__")[0] or level
    return found


def test_the_readme_and_the_settings_name_the_same() -> None:
    said = named(README.read_text())
    assert misspelt(said, Settings(_env_file=None)) == []  # type: ignore[call-arg]
    for name in {f"{PREFIX}{'__'.join(path)}" for path in paths(Settings)} - ONE_ONLY:
        below = (other for other in said if other.startswith(f"{name}__"))
        assert name in said or any(below), f"{name} is not in the README"


def test_the_console_shows_what_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """By name where names are the operator's own, in both ways to write them; no secrets."""
    said = {
        "CREDITS__BASES__POCKET": "1.5",
        "PLANS__PATRON__WEIGHT": "3",
        "WARES": '{"small": {"credits": 50, "stars": 10}}',
        "WEB__ADMIN_KEY": "a secret of ours",
        "DATABASE_URL": "postgresql://kinora:hidden@localhost/kinora",
    }
    for name, value in said.items():
        monkeypatch.setenv(f"KINORA_{name}", value)
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    told = dict(shown(settings))
    assert told["KINORA_CREDITS__BASES__POCKET"] == "1.5"
    assert told["KINORA_PLANS__PATRON__WEIGHT"] == "3.0"
    assert told["KINORA_WARES__SMALL__STARS"] == "10"
    assert told["KINORA_WEB__ADMIN_KEY"] == told["KINORA_DATABASE_URL"] == "set"
    assert misspelt({f"KINORA_{name}" for name in said}, settings) == []
    monkeypatch.delenv("KINORA_CREDITS__BASES__POCKET")
    monkeypatch.setenv("KINORA_CREDITS__BASES", '{"pocket": 1.5}')
    again = Settings(_env_file=None)  # type: ignore[call-arg]
    assert dict(shown(again)) == told


@pytest.mark.parametrize("said", [{"model": "pockt"}, {"credits": Credits(bases={"pockt": 1.0})}])
async def test_a_model_that_there_is_not_is_said_at_the_start(
    said: dict[str, Any], tmp_path: Path
) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, **said)  # type: ignore[call-arg]
    with pytest.raises(BadPrompt, match='no model "pockt"'):
        async with house(settings):
            pass
    bad = [finding.seen for finding in await examine(settings) if finding.verdict == "bad"]
    assert "there is no pockt" in bad
