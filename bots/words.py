"""The names and descriptions of commands in people's languages, from one catalogue.

A language is a file beside this one, `languages/de.toml`: our words on the left, theirs on the
right. What is missing there stays English.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

_LANGUAGES = Path(__file__).with_name("languages")


def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Words by language, as Discord names them: "de", "es-ES"."""
    return {
        path.stem: tomllib.loads(path.read_text(encoding="utf-8"))
        for path in sorted(_LANGUAGES.glob("*.toml"))
    }
