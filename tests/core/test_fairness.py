"""Start-time fair queuing, judged by who waits."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from core.fairness import HALF_LIFE_SECONDS, Tags, Waiting, choose, correct, later, order, serve
from core.lanes import Lane


def waiting(
    account: int,
    number: int,
    cost: float = 10.0,
    weight: float = 1.0,
    lane: Lane = Lane.STANDARD,
) -> Waiting:
    return Waiting(f"{account}-{number}", account, float(number), cost, weight, lane=lane)


def test_a_newcomer_does_not_wait_behind_a_greedy_queue() -> None:
    greedy = [waiting(1, number) for number in range(500)]
    tags, served = Tags(), []
    for _ in range(50):
        job = choose(tags, greedy)
        tags, greedy = serve(tags, job), [other for other in greedy if other is not job]
        served.append(job)
    newcomers = [waiting(account, 1000 + account) for account in range(2, 22)]
    upcoming = order(tags, greedy + newcomers)
    last = max(index for index, job in enumerate(upcoming) if job.account_id != 1)
    assert last <= 2 * len(newcomers)


def test_short_jobs_get_their_share_of_time_not_of_turns() -> None:
    long = [waiting(1, number, cost=60.0) for number in range(20)]
    short = [waiting(2, number, cost=10.0) for number in range(120)]
    first = order(Tags(), long + short)[:70]
    turns = Counter(job.account_id for job in first)
    seconds = {account: turns[account] * cost for account, cost in ((1, 60.0), (2, 10.0))}
    assert abs(seconds[1] - seconds[2]) <= 60.0


def test_a_heavier_account_gets_more() -> None:
    jobs = [waiting(1, n, weight=3.0) for n in range(40)] + [waiting(2, n) for n in range(40)]
    turns = Counter(job.account_id for job in order(Tags(), jobs)[:40])
    assert turns[1] == 30


def test_an_underestimated_job_is_paid_for_afterwards() -> None:
    jobs = [waiting(1, 0), waiting(1, 1), waiting(2, 2), waiting(2, 3)]
    first = choose(Tags(), jobs)
    tags = correct(serve(Tags(), first), first, seconds=25.0)
    assert [job.job_id for job in order(tags, jobs[1:])] == ["2-2", "2-3", "1-1"]


@given(
    asked=st.lists(st.tuples(st.integers(1, 4), st.sampled_from([1.0, 2.5, 7.0])), max_size=12),
    lanes=st.sets(st.sampled_from(list(Lane)), min_size=1),
    finish=st.dictionaries(st.integers(1, 4), st.sampled_from([0.5, 3.0, 30.0])),
)
def test_the_order_is_that_of_the_turns(
    asked: list[tuple[int, float]], lanes: set[Lane], finish: dict[int, float]
) -> None:
    kinds = sorted(lanes)
    jobs = [
        waiting(account, number, cost, weight=account / 2, lane=kinds[number % len(kinds)])
        for number, (account, cost) in enumerate(asked)
    ]
    tags = start = Tags(virtual_time=1.0, finish=finish)
    left, turns = list(jobs), []
    while left:
        heads = [
            min(mine, key=lambda job: job.order)
            for key in {(job.account_id, job.lane) for job in left}
            if (mine := [job for job in left if (job.account_id, job.lane) == key])
        ]
        job = choose(tags, heads)
        left.remove(job)
        tags = serve(tags, job, [other for other in heads if other is not job])
        turns.append(job)
    assert order(start, jobs) == turns


def served(tags: Tags, jobs: list[Waiting]) -> str:
    """The lanes in the order in which they are served: "ffsr"."""
    return "".join(job.lane[0] for job in order(tags, jobs))


def test_who_pays_twice_goes_first_among_equals_but_not_for_ever() -> None:
    usual = [waiting(account, account) for account in range(1, 3)]
    fast = [waiting(account, account, lane=Lane.FAST) for account in range(11, 19)]
    assert served(Tags(), usual + fast) == "fffsfffsff"
    greedy = [waiting(1, number, lane=Lane.FAST) for number in range(50)]
    newcomers = [waiting(account, 100 + account) for account in range(2, 6)]
    first = order(serve(Tags(), greedy[0]), greedy[1:] + newcomers)
    assert {job.account_id for job in first[:4]} == {2, 3, 4, 5}


def test_the_fast_jobs_of_one_account_overtake_its_others() -> None:
    jobs = [waiting(1, 0), waiting(1, 1), waiting(1, 2, lane=Lane.FAST)]
    assert [job.order for job in order(Tags(), jobs)] == [2, 0, 1]


def test_relaxed_jobs_wait_for_all_who_pay_but_one_turn_in_ten() -> None:
    relaxed = [waiting(1, number, lane=Lane.RELAXED) for number in range(3)]
    paid = [waiting(account, 100 + account) for account in range(2, 22)]
    assert served(Tags(), relaxed + paid) == "sssssssssrsssssssssrssr"
    assert served(Tags(), relaxed) == "rrr"


def test_who_used_less_lately_goes_first_in_the_relaxed_lane() -> None:
    jobs = [waiting(account, account, lane=Lane.RELAXED) for account in (1, 2)]
    jobs.append(waiting(2, 3, lane=Lane.RELAXED))
    tags = correct(serve(Tags(), waiting(1, 0)), waiting(1, 0), seconds=35.0)
    assert [job.account_id for job in order(tags, jobs)] == [2, 2, 1]
    old = later(tags, HALF_LIFE_SECONDS * 2)
    assert old.used == {1: 35.0 / 4}
    assert [job.account_id for job in order(old, jobs)] == [2, 1, 2]
    assert later(tags, HALF_LIFE_SECONDS * 20).used == {}


JOBS = st.lists(
    st.builds(
        waiting,
        account=st.integers(1, 5),
        number=st.integers(0, 10_000),
        cost=st.floats(0.5, 100.0),
        weight=st.sampled_from([0.5, 1.0, 4.0]),
        lane=st.sampled_from(Lane),
    ),
    unique_by=lambda job: job.order,
    max_size=40,
)


@given(JOBS)
def test_everybody_is_served_once_and_in_their_own_order(jobs: list[Waiting]) -> None:
    served = order(Tags(), jobs)
    assert sorted(served, key=lambda job: job.order) == sorted(jobs, key=lambda job: job.order)
    for whose in {(job.account_id, job.lane) for job in jobs}:
        own = [job.order for job in served if (job.account_id, job.lane) == whose]
        assert own == sorted(own)


@given(JOBS)
def test_backlogged_accounts_stay_within_one_job_of_each_other(jobs: list[Waiting]) -> None:
    """|W1/r1 - W2/r2| <= max cost1/r1 + max cost2/r2 while both wait (theorem 1 of the paper)."""
    one = [Waiting(f"a{n}", 1, n, job.cost) for n, job in enumerate(jobs)]
    two = [Waiting(f"b{n}", 2, n + 0.5, job.cost / 2) for n, job in enumerate(jobs)]
    served = order(Tags(), one + two)
    left, work = Counter({1: len(one), 2: len(two)}), Counter({1: 0.0, 2: 0.0})
    bound = max((j.cost for j in one), default=0) + max((j.cost for j in two), default=0)
    for job in served:
        left[job.account_id] -= 1
        work[job.account_id] += job.cost  # type: ignore[assignment]
        if left[1] and left[2]:
            assert abs(work[1] - work[2]) <= bound + 1e-6


def test_who_was_moved_goes_out_of_turn_and_nobody_else_pays_for_it() -> None:
    plain = [waiting(account, account) for account in (1, 2, 3)]
    last = replace(waiting(4, 0), shift=1)
    first = replace(waiting(5, 9, cost=500.0), shift=-1)
    assert [job.account_id for job in order(Tags(), [*plain, last, first])] == [5, 1, 2, 3, 4]
    tags = serve(Tags(), first)
    assert [tags.start(account) for account in (1, 5)] == [0.0, 500.0]
