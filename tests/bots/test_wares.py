"""Wares as an operator writes them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bots.settings import Settings
from bots.terms import wares_of
from bots.unfit import unfit
from core.wares import Ware


def test_an_operator_says_what_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is, until payments are on; what was sold before is known all the same."""
    said = {
        "SMALL_PACK__CREDITS": "500",
        "SMALL_PACK__STARS": "100",
        "PATRON__TITLE": "A month of pro",
        "PATRON__PLAN": "pro",
        "PATRON__DAYS": "30",
        "PATRON__RENEWS": "true",
        "PATRON__SKU": "81",
    }
    for name, value in said.items():
        monkeypatch.setenv(f"KINORA_WARES__{name}", value)
    pack = Ware("small_pack", "small pack", credits=500, stars=100)
    patron = Ware("patron", "A month of pro", plan="pro", days=30, sku="81", renews=True)
    wares = wares_of(Settings(_env_file=None))  # type: ignore[call-arg]
    assert wares.by_name == {"small_pack": pack, "patron": patron}
    assert (wares.for_stars(), wares.for_skus()) == ([], [])
    assert wares.by_sku("81") == patron
    monkeypatch.setenv("KINORA_PAYMENTS", "true")
    wares = wares_of(Settings(_env_file=None))  # type: ignore[call-arg]
    assert (wares.for_stars(), wares.for_skus()) == ([pack], [patron])


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"STARS": "5"}, "WARES__PACK: say what it brings: CREDITS, or a PLAN, or both"),
        ({"PLAN": "pro"}, "WARES__PACK: say for how many DAYS a payment gives the plan"),
        ({"PLAN": "pro", "SKU": "81", "STARS": "5"}, "say for how many DAYS a payment gives"),
        ({"PLAN": "gold", "DAYS": "9"}, 'WARES: pack brings the plan "gold", which there is not: '),
        ({"CREDITS": "few"}, 'WARES__PACK__CREDITS: "few" is not a whole number from 0 to'),
        ({"CREDITS": "5", "STARS": "20000"}, 'PACK__STARS: "20000" is not a whole number from 1'),
        ({"CREDITS": "5", "STARS": "5", "RENEWS": "1"}, "what renews for stars has 30 DAYS"),
    ],
)
def test_a_ware_that_can_not_be_is_refused(
    said: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in said.items():
        monkeypatch.setenv(f"KINORA_WARES__PACK__{name}", value)
    with pytest.raises(ValidationError) as refused:
        Settings(_env_file=None)  # type: ignore[call-arg]
    (line,) = unfit(refused.value)
    assert sentence in line


def test_a_name_that_no_button_has_room_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"KINORA_WARES__{'PACK' * 9}__CREDITS", "5")
    with pytest.raises(ValidationError, match="names no ware: up to 32 letters"):
        Settings(_env_file=None)  # type: ignore[call-arg]
