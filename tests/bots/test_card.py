"""How a job is told in words, state by state."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bots.card import RIGHT_TO_USE, Button, card, credits, offer, ordinal
from core.camera import CameraMove
from core.counter import Quote
from core.dispatch import Outlook
from core.engine import Stage
from core.eta import NOTHING, Range, span
from core.job import Clip, Job, Price, State
from core.replay import line_of
from core.request import Request
from core.reviews import TOO_LATE
from core.safety.verdict import POLICY, Clause
from core.studio import View
from tests.bots.drawing import MODELS, SKETCH, SLIDE

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
REQUEST = Request("sketch", "a red ball", 426, 240, 33, 8, 7, "240p", "16:9", notes=("Noted.",))
JOB = Job("k" * 12, 1, "web:page", State.QUEUED, REQUEST, 12, NOW)
CLIP = Clip(Path("/c.mp4"), Path("/c.jpg"), 426, 240, 33, 8, 5000, NOW + timedelta(days=1))


def shown(state: State, outlook: Outlook | None = None, **changes: object):  # type: ignore[no-untyped-def]
    charged = JOB.credits if state is State.SUCCEEDED else 0
    job = replace(JOB, **{"state": state, "charged": charged, **changes})  # type: ignore[arg-type]
    return card(View(job, outlook), MODELS)


def test_queued_says_where_and_when() -> None:
    seen = shown(State.QUEUED, Outlook(3, 2, Range(62, 118), Range(70, 130)))
    assert seen.line_one == "In the queue: 3rd"
    assert seen.line_two == "starts in 60 s–2 min · 2 ahead"
    assert (seen.eta, seen.progress, seen.buttons) == (
        "starts in 60 s–2 min",
        None,
        (Button.CANCEL,),
    )
    soon = shown(State.QUEUED, Outlook(1, 0, NOTHING, Range(1, 2)))
    assert soon.line_two == "starts in a moment · nobody ahead"
    for losses, why in ((0, "Kinora was restarted"), (1, "its rendering broke off")):
        anew = shown(State.QUEUED, Outlook(1, 0, NOTHING, Range(1, 2)), attempt=1, losses=losses)
        assert anew.line_two == f"{why}, and it begins anew · starts in a moment · nobody ahead"


def test_running_says_how_far() -> None:
    outlook = Outlook(0, 0, NOTHING, Range(38, 56), Stage.RENDERING, 12, 20)
    seen = shown(State.RUNNING, outlook)
    assert (seen.line_one, seen.line_two) == ("Rendering", "step 12 of 20 · 40–55 s left")
    assert (seen.progress, seen.buttons) == (0.6, (Button.CANCEL,))
    loading = shown(State.RUNNING, replace(outlook, stage=Stage.LOADING, step=0, steps=0))
    assert loading.line_two == "loading sketch · the first clip takes longer"
    assert loading.progress is None
    begun = shown(State.RUNNING, replace(outlook, stage="", step=0, steps=0))
    assert (begun.line_one, begun.line_two) == ("Getting ready", "40–55 s left")
    ending = shown(State.RUNNING, replace(outlook, stage=Stage.ENCODING))
    assert (ending.line_one, ending.line_two) == ("Almost there", "checking and encoding")
    assert ending.buttons == ()
    stopping = shown(State.RUNNING, outlook, cancel_requested=True)
    assert (stopping.line_one, stopping.buttons) == ("Stopping", ())
    waking = shown(State.RUNNING, Outlook(4, 3, Range(5, 9), Range(6, 10)))
    assert (waking.line_one, waking.line_two) == ("Rendering", "")


def test_done_tells_the_recipe() -> None:
    seen = shown(State.SUCCEEDED, clip=CLIP, run_seconds=83.4)
    assert seen.line_two == "sketch · 4 s · 240p · seed 7 · 12 credits · took 83 s"
    assert (seen.prompt, seen.notes) == ("a red ball", ("Noted.",))
    assert seen.about == "sketch: draws a ball, whatever you ask."
    assert seen.buttons == (
        Button.AGAIN, Button.EDIT, Button.EXTEND, Button.DOWNLOAD, Button.DELETE,
    )  # fmt: skip
    unseen = shown(State.SUCCEEDED, clip=CLIP, charged=0)
    assert unseen.line_two == "sketch · 4 s · 240p · seed 7 · not charged"
    still = replace(REQUEST, model="slide", camera=(CameraMove("pan", "left"),))
    assert Button.EXTEND not in shown(State.SUCCEEDED, clip=CLIP, request=still).buttons
    assert not SLIDE.extends
    assert SKETCH.extends


def test_a_clip_past_its_time_can_be_made_again() -> None:
    seen = shown(State.SUCCEEDED)
    assert seen.line_one == "No longer stored"
    assert seen.buttons == (Button.AGAIN, Button.EDIT, Button.DELETE)


def test_failed_and_refused_cost_nothing_and_say_so() -> None:
    failed = shown(State.FAILED, failure="The disk is full.", reference="abc")
    assert (failed.line_one, failed.line_two) == (
        "That didn't work", "The disk is full. Nothing was charged.",
    )  # fmt: skip
    assert (failed.reference, failed.buttons[0]) == ("abc", Button.RETRY)
    refused = shown(State.REFUSED, failure=TOO_LATE)
    assert (refused.line_one, refused.line_two) == (
        "I can't make this one", f"{TOO_LATE} Nothing was charged.",
    )  # fmt: skip
    assert refused.buttons == (Button.EDIT, Button.DELETE)


def test_cancelled_counts_what_came_back() -> None:
    assert shown(State.CANCELLED).line_two == "12 credits came back."
    assert shown(State.CANCELLED, credits=1).line_two == "1 credit came back."
    assert shown(State.CANCELLED, charged=5).line_two == (
        "5 credits went into what was drawn by then; 7 credits came back."
    )
    assert shown(State.CANCELLED, charged=12).line_two == (
        "12 credits went into what was drawn by then."
    )


def test_held_waits_for_a_moderator_or_for_who_is_shown() -> None:
    seen = shown(State.HELD, clause=Clause.GORE, decide_by=NOW)
    assert (seen.line_one, seen.buttons) == ("Waiting for a moderator", (Button.CANCEL,))
    assert seen.line_two == (
        "No gore: no mutilation, no open wounds, no dwelling on blood. A moderator decides by "
        "22 Nov 2026, 12:00 UTC. Nothing is charged until then."
    )
    asked = shown(State.HELD, clause=Clause.CONSENT, decide_by=NOW)
    assert (asked.line_one, asked.line_two) == (
        "Waiting for the person in it",
        "They decide by 22 Nov 2026, 12:00 UTC. Nothing is charged until then.",
    )
    assert (seen.veiled, asked.veiled) == (True, False)
    priced = shown(State.HELD, clause=Clause.GORE, credits=0, price=Price(12, ()))
    assert priced.facts.endswith("12 credits")
    face = shown(State.QUOTED, clause=Clause.CONSENT)
    assert (face.line_one, face.buttons) == (RIGHT_TO_USE, (Button.ATTEST, Button.CANCEL))


def test_what_is_refused_can_be_appealed_once_where_somebody_may_decide() -> None:
    refused = shown(State.REFUSED, clause=Clause.GORE)
    assert refused.line_two == f"{POLICY[Clause.GORE]} Nothing was charged."
    assert refused.buttons == (Button.EDIT, Button.APPEAL, Button.DELETE)
    assert (refused.prompt, refused.veiled) == ("a red ball", True)
    denied = shown(State.REFUSED, clause=Clause.GORE, appealed=True, failure="Not here")
    said = f"A moderator said no: Not here. {POLICY[Clause.GORE]} Nothing was charged."
    assert denied.line_two == said
    assert (denied.about, denied.notes) == ("", ())
    assert "--seed 7" in line_of(replace(JOB, state=State.SUCCEEDED), MODELS)
    assert "--seed" not in line_of(replace(JOB, state=State.REFUSED), MODELS)
    for seen in (
        denied,
        *(shown(State.REFUSED, clause=one) for one in Clause if not one.appealable),
    ):
        assert Button.APPEAL not in seen.buttons


def test_a_model_that_left_can_not_be_asked_again() -> None:
    gone = replace(REQUEST, model="gone")
    assert shown(State.SUCCEEDED, clip=CLIP, request=gone).buttons == (
        Button.DOWNLOAD, Button.DELETE,
    )  # fmt: skip


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("stage", ["", *Stage])
def test_every_state_has_words(state: State, stage: str) -> None:
    outlook = None if state.ended else Outlook(0, 0, NOTHING, Range(1, 2), stage)
    assert shown(state, outlook).line_one


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0, 0, "a moment"), (0, 0.4, "a moment"), (0.1, 2, "under 2 s"), (5, 8, "5–8 s"),
        (5.2, 5.3, "5 s"), (38, 56, "40–55 s"), (50, 118, "50 s–2 min"), (360, 540, "6–9 min"),
        (3000, 7300, "50 min–2 h"), (7300, 20000, "2–6 h"), (9, 3, "3 s"),
    ],
)  # fmt: skip
def test_ranges_are_said_as_people_do(low: float, high: float, words: str) -> None:
    assert span(Range(low, high)) == words


def test_counting() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th",
    ]  # fmt: skip
    assert (credits(0), credits(1), credits(2)) == ("0 credits", "1 credit", "2 credits")


def test_an_offer_in_a_line() -> None:
    assert offer(Quote(REQUEST, Price(2, ()), Range(5, 8))) == "2 credits · about 5–8 s · Noted."
    assert offer(Quote(REQUEST, Price(1, ()), Range(0, 3))) == "1 credit · under 3 s · Noted."
