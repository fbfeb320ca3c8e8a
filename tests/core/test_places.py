"""Places in words, and what a server's rules do to a request."""

from __future__ import annotations

import pytest

from core.catalog import complete
from core.errors import BadPrompt
from core.places import (
    Rules,
    channels,
    chat,
    check,
    larger,
    parts,
    platform,
    room,
    server,
    with_defaults,
    within,
)
from core.prompt import parse
from core.request import Draft
from tests.core.models import CATALOGUE, MOVES, WORDS


def test_a_place_is_taken_apart() -> None:
    place = "discord:81/92/103"
    assert (platform(place), server(place), chat(place)) == (
        "discord",
        "discord:81",
        "discord:81/92",
    )
    assert parts(place) == ("81", "92", "103")
    assert (platform("web:page"), server("web:page"), chat("web:page")) == ("web", "web:page", None)
    assert channels(place) == ["92"]
    with pytest.raises(ValueError):
        parts("web:page")
    assert list(channels("web:page")) == []


def test_a_thread_is_in_its_channel() -> None:
    place = f"discord:81/{within('92', '95')}/103"
    assert parts(place) == ("81", "95", "103")
    assert channels(place) == ["92", "95"]
    assert server(place) == "discord:81"


@pytest.mark.parametrize(
    ("rules", "line", "seconds", "resolution"),
    [
        (Rules(), "", None, None),
        (Rules(seconds=3), "", 3, None),
        (Rules(seconds=3), "--seconds 1", 1, None),
        (Rules(seconds=60), "", 4, None),
        (Rules(longest=1.5), "", 1.5, None),
        (Rules(resolution="480p"), "", None, "480p"),
        (Rules(resolution="1080p"), "", None, "240p"),
        (Rules(largest="480p"), "", None, "240p"),
        (Rules(resolution="480p", largest="240p"), "", None, "240p"),
        (Rules(largest="480p"), "--res 480p", None, "480p"),
    ],
)
def test_a_server_fills_in_what_was_not_said(
    rules: Rules, line: str, seconds: float | None, resolution: str | None
) -> None:
    draft = with_defaults(parse(f"a ball {line}"), rules, WORDS)
    assert (draft.seconds, draft.resolution) == (seconds, resolution)
    assert complete(draft, CATALOGUE, seed=1).prompt == "a ball"


def test_a_server_sets_limits() -> None:
    request = complete(parse("a ball --seconds 3 --res 480p"), CATALOGUE, seed=1)
    check(request, 3, Rules(longest=3, largest="480p"))
    with pytest.raises(BadPrompt, match="up to 2 seconds; this would be 3"):
        check(request, 3, Rules(longest=2))
    with pytest.raises(BadPrompt, match="up to 240p; you asked for 480p"):
        check(request, 3, Rules(largest="240p"))


def test_an_extension_takes_what_room_there_is() -> None:
    assert room(Rules(), 3, MOVES) is None
    assert room(Rules(longest=5), 3, MOVES) == 2
    assert room(Rules(longest=5), 4.5, MOVES) is None
    assert room(Rules(longest=60), 3, MOVES) is None


def test_the_next_resolution_up() -> None:
    assert larger("240p", ("240p", "720p", "480p")) == "480p"
    assert larger("720p", ("240p", "720p", "480p")) is None


def test_no_rules_change_nothing() -> None:
    assert with_defaults(Draft("x"), Rules(), WORDS) == Draft("x")
