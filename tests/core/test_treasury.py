"""What a treasury is for, as its policy says it."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from core import sentences
from core.job import Account
from core.treasury import Policy, allows
from tests.storage.samples import a_request

PLACE = "discord:81/92/103"
EVENING = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)
"""18:30 in Berlin."""


@pytest.mark.parametrize(
    ("policy", "allowed"),
    [
        (Policy(), True),
        (Policy(members=(1, 7)), True),
        (Policy(members=(1,)), False),
        (Policy(models=("parallax", "pocket")), True),
        (Policy(models=("pocket",)), False),
        (Policy(channels=("92",)), True),
        (Policy(channels=("81", "103")), False),
        (Policy(longest=2), True),
        (Policy(longest=1.9), False),
        (Policy(largest="480p"), True),
        (Policy(largest="360p"), False),
        (Policy(hours=(18, 19)), True),
        (Policy(hours=(17, 18)), False),
        (Policy(hours=(18, 2)), True),
        (Policy(hours=(22, 18)), False),
        (Policy(hours=(22, 19)), True),
    ],
)
def test_a_policy_says_what_for(policy: Policy, allowed: bool) -> None:
    """Two seconds of parallax at 480p, in channel 92, by account 7."""
    asked = (Account(7, "Ada"), a_request(), 2.0, PLACE, EVENING, ZoneInfo("Europe/Berlin"))
    assert allows(policy, *asked) is allowed
    assert Policy.from_dict(policy.as_dict()) == policy


def test_a_channel_s_threads_are_paid_for_with_it() -> None:
    thread = "discord:81/92.95/103"
    asked = (Account(7, "Ada"), a_request(), 2.0, thread, EVENING, ZoneInfo("Europe/Berlin"))
    assert allows(Policy(channels=("92",)), *asked)
    assert allows(Policy(channels=("95",)), *asked)
    assert not allows(Policy(channels=("93",)), *asked)


def test_a_policy_in_words() -> None:
    whole = Policy(20, (1, 2), ("pocket",), ("92", "93"), 5.0, "480p", (18, 2))
    assert sentences.allowed(Policy()) == "for anybody, for anything"
    assert sentences.allowed(whole) == (
        "20 credits a day for each member, only for the accounts 1, 2, only with pocket, only in "
        "the channels 92, 93, clips of 5 s at most, 480p at most, from 18:00 to 02:00"
    )
