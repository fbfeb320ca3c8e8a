"""Estimates, judged by how often the truth lies within."""

from __future__ import annotations

import random

from core.catalog import complete
from core.eta import Estimator, Pace, Range, remaining, work
from core.ports import Measured
from core.prompt import parse
from core.request import Picture, Request
from tests.core.models import CATALOGUE, MOVES

PHOTO = Picture("photo", 1600, 900)


def clip(line: str) -> Request:
    return complete(parse(line), CATALOGUE, picture=PHOTO, seed=1)


def test_a_guess_before_anything_was_measured_is_wide() -> None:
    guess = Estimator(CATALOGUE).estimate(clip("zoom in"))
    assert 0 < guess.low < guess.middle < guess.high
    assert guess.high / guess.low > 4


def test_measured_shapes_hold_the_truth_in_four_of_five_jobs() -> None:
    """The same shape on a machine whose speed wavers by a fifth, and now and then by half."""
    rng = random.Random(5)
    estimator, hits, asked = Estimator(CATALOGUE), 0, 0
    for number in range(300):
        request = clip("zoom in")
        took = 4.0 * rng.uniform(0.85, 1.15) * (1.5 if rng.random() < 0.05 else 1.0)
        if number >= 5:
            estimate = estimator.estimate(request)
            hits += estimate.low <= took <= estimate.high
            asked += 1
        estimator.observe(Measured("moves", work(request), took))
    assert hits / asked >= 0.8


def test_other_shapes_are_scaled_from_what_is_known() -> None:
    estimator = Estimator(CATALOGUE)
    short = clip("zoom in --seconds 5")
    per_unit = 0.05
    for _ in range(5):
        estimator.observe(Measured("moves", work(short), MOVES.cost.fixed + per_unit * work(short)))
    long = clip("zoom in --seconds 20")
    truth = MOVES.cost.fixed + per_unit * work(long)
    estimate = estimator.estimate(long)
    assert estimate.low <= truth <= estimate.high
    assert estimate.high / estimate.low < 4


def test_old_measurements_are_forgotten() -> None:
    request = clip("zoom in")
    estimator = Estimator(
        CATALOGUE, [Measured("moves", work(request), seconds) for seconds in [90.0] * 50]
    )
    for _ in range(40):
        estimator.observe(Measured("moves", work(request), 2.0))
    assert estimator.estimate(request).high < 3.0


def test_what_remains_follows_the_pace_once_there_is_one() -> None:
    estimate = Range(8.0, 12.0)
    assert remaining(estimate, 2.0, None, now=2.0) == Range(6.0, 10.0)
    pace = Pace.begun(0, 100, at=0.0).told(50, 100, at=30.0)
    halfway = remaining(estimate, 30.0, pace, now=30.0)
    assert halfway.low <= 30.0 <= halfway.high
    overdue = remaining(estimate, 60.0, None, now=60.0)
    assert overdue.low == 0.0
    assert overdue.high > 0.0


def test_what_came_before_the_first_step_is_no_pace() -> None:
    """26 s of loading, then four steps of 1.5 s."""
    estimate, first = Range(4.0, 8.0), 26.0 + 1.5
    pace = Pace.begun(1, 4, at=first)
    assert remaining(estimate, 1.5, pace, now=first) == Range(2.5, 6.5)
    pace = pace.told(2, 4, at=first + 1.5)
    second = remaining(estimate, 3.0, pace, now=first + 1.5)
    assert second.low <= 3.0 <= second.high <= 5.0


def test_between_steps_it_becomes_less_and_a_slow_one_tells() -> None:
    pace = Pace.begun(0, 4, at=0.0).told(1, 4, at=2.0)
    lefts = [pace.left(now) for now in (2.0, 3.0, 4.0, 8.0)]
    assert lefts == [6.0, 5.0, 4.0, 12.0]
    again = pace.told(0, 4, at=9.0)
    assert again.left(9.0) is None
