"""Plans as an operator writes them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bots.settings import Settings
from bots.terms import terms_of
from core.plans import Label, Plan


def test_an_operator_changes_plans_and_adds_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What isn't said is as in the free plan, whose own credits and queue are settings too."""
    said = {
        "CREDITS__DAILY": "50",
        "QUEUE__PER_ACCOUNT": "9",
        "PLANS__PRO__MONTHLY": "9000",
        "PLANS__PATRON__WEIGHT": "3",
        "PLANS__PATRON__LARGEST": "1080p",
    }
    for name, value in said.items():
        monkeypatch.setenv(f"KINORA_{name}", value)
    plans = terms_of(Settings(_env_file=None)).plans.by_name  # type: ignore[call-arg]
    assert plans == {
        "free": Plan("free", daily=50, waiting=9),
        "supporter": Plan("supporter", daily=50, monthly=1000, waiting=9, weight=2.0),
        "pro": Plan("pro", 50, 9000, 9, 4.0, label=Label.OPTIONAL),
        "patron": Plan("patron", daily=50, waiting=9, weight=3.0, largest="1080p"),
    }


@pytest.mark.parametrize(
    ("name", "value"), [("DAILY", "-1"), ("WEIGHT", "0"), ("LARGEST", "huge"), ("LABEL", "never")]
)
def test_a_plan_that_can_not_be_is_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"KINORA_PLANS__PATRON__{name}", value)
    with pytest.raises(ValidationError, match=r"plans\.patron"):
        Settings(_env_file=None)  # type: ignore[call-arg]
