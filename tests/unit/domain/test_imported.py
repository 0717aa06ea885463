"""Days from files: what they do not say is in no figure, and what two files say of one day never contradicts itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.counters import PRESENCE_FIELDS, SALES_FIELDS, SESSION_FIELDS, WINDOWS, Window
from app.domain.imported import gaps, holding
from app.domain.metrics import GAP_FIELDS, HISTORY_METRICS, IMPORTED_DAYS, METRICS, mean_values, total, values
from tests.oracle import metrics as oracle

Numbers = dict[str, int]
_SAID = tuple(name for name in (*SESSION_FIELDS, *SALES_FIELDS, *PRESENCE_FIELDS) if name != "customer_messages")
KEYS = tuple(key for key in HISTORY_METRICS if METRICS[key].percentile is None)
_day = st.dictionaries(st.sampled_from(_SAID), st.integers(0, 300), min_size=1, max_size=30)
_real = st.builds(lambda day, wrote: {**day, "customer_messages": wrote}, _day, st.integers(1, 300))


@given(st.lists(_day, max_size=5), st.lists(_real, max_size=3), st.sampled_from(sorted(WINDOWS)))
def test_a_figure_is_that_of_the_days_which_say_it(imported: list[Numbers], real: list[Numbers], window: Window) -> None:
    numbers = total([*real, *({**day, **gaps(day)} for day in imported)])
    found = values(numbers, KEYS, window)
    for key in KEYS:
        saying = real + [day for day in imported if METRICS[key].fields(window) <= day.keys()]
        wanted = oracle.values(total(saying), window)[key] if saying or not imported else None
        assert found[key] == (None if wanted is None else pytest.approx(wanted, rel=1e-12)), key


@given(st.lists(st.tuples(_day, st.integers(0, 2)), min_size=1, max_size=6))
def test_gaps_add_up_in_any_grouping(days: list[tuple[Numbers, int]]) -> None:
    rows = [({**day, **gaps(day)}, agent) for day, agent in days]
    by_agent = [total(row for row, of in rows if of == agent) for agent in range(3)]
    assert total(by_agent) == total(row for row, _ in rows)
    assert total(by_agent)[IMPORTED_DAYS] == len(days)


@given(_day)
def test_gaps_are_those_that_are_kept(day: Numbers) -> None:
    assert gaps(day).keys() <= set(GAP_FIELDS)


def test_a_day_that_says_everything_has_no_gaps() -> None:
    assert gaps(dict.fromkeys((*_SAID, "customer_messages", "visitors_online", "visitors_leave"), 3)) == {IMPORTED_DAYS: 1}


def test_a_rating_page_alone_does_not_raise_the_rate_of_those_who_have_handled() -> None:
    """A numerator without its denominator is as wrong in a pooled rate as the other way round."""
    ratings = {"invited": 40, "rated": 20, "satisfied": 19}
    numbers = total([{"received": 100, "invited": 50, "rated": 10, "satisfied": 5, "customer_messages": 1}, {**ratings, **gaps(ratings)}])
    assert values(numbers, ("invited", "rated", "invite_rate", "rating_rate", "satisfaction")) == {
        "invited": 90, "rated": 30, "invite_rate": 0.5, "rating_rate": 0.1, "satisfaction": 0.8,
    }  # fmt: skip


def test_levels_that_are_not_told_apart_are_not_all_the_middle_one() -> None:
    day = {"rated": 10, "satisfied": 9}
    found = values({**day, **gaps(day)}, ("rated", "satisfaction", "satisfied", "neutral", "very_satisfied"))
    assert found == {"rated": 10, "satisfaction": 0.9, "satisfied": None, "neutral": None, "very_satisfied": None}


def test_a_mean_is_of_the_rows_that_say_it() -> None:
    said, silent = {"consults": 10, "rated": 4}, {"consults": 30}
    rows = [{**day, **gaps(day)} for day in (said, silent)]
    assert mean_values(rows, ("consults", "rated", "orders")) == {"consults": 20, "rated": 4, "orders": None}


WORK = {"consults": 500, "received": 480, "replied_30s": 450}
LESS = {"consults": 10, "received": 9}
RATED = {"invited": 456, "rated": 60}


@pytest.mark.parametrize(
    ("claims", "wanted"),
    [
        ([(1, WORK), (2, RATED)], WORK | RATED),
        ([(1, RATED), (2, WORK)], WORK | RATED),
        ([(1, WORK | RATED), (2, LESS)], LESS),
        ([(1, LESS), (2, RATED)], RATED),
        ([(1, WORK | RATED), (2, LESS), (3, WORK)], WORK | RATED),
        ([(1, WORK | RATED), (2, LESS), (3, {"login_ms": 5})], LESS | {"login_ms": 5}),
        ([(1, LESS | RATED)], LESS | RATED),  # what one file says is its own, and told when it is looked at
    ],
)
def test_parts_that_contradict_each_other_do_not_stand_together(claims: list[tuple[int, Numbers]], wanted: Numbers) -> None:
    assert holding(claims, None, frozenset()) == wanted
