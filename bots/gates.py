"""What the settings say of the gates: an operator's files, and the bounds on scores."""

from __future__ import annotations

from bots.settings import Settings
from core.errors import BadFile
from core.safety.policy import Bounds, Thresholds
from core.safety.rulebook import Rulebook


def rulebook_of(settings: Settings) -> Rulebook:
    """The rules, with those in DATA_DIR/safety over them. Reads files."""
    return Rulebook(settings.data_dir.absolute() / "safety")


def whole_rulebook(settings: Settings) -> Rulebook:
    """As `rulebook_of`. Raises BadFile where a file can't be read: what nobody read holds nothing
    back."""
    book = rulebook_of(settings)
    if book.problems:
        raise BadFile(str(book.problems[0]))
    return book


def thresholds_of(settings: Settings) -> Thresholds:
    said = settings.safety
    return Thresholds(
        any_head=Bounds(hold=said.words_hold),
        any_sight=Bounds(hold=said.picture_hold, refuse=said.picture_refuse),
    )
