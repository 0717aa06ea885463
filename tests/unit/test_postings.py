"""The form of the search index keeps what was put into it, in one segment or in several that become one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.words import Term
from app.storage import postings

_SESSIONS = st.lists(st.frozensets(st.text("ab退款1\U0010fffe", min_size=1, max_size=4), max_size=8), max_size=30)


def asked(written: list[tuple[str, bytes]], term: Term) -> set[int]:
    """As the index is asked: only the blocks that the directory names are read."""
    directory = [first for first, _ in written]
    return postings.having(term, [written[i][1] for i in postings.where(directory, term)])


def truth(sessions: list[frozenset[str]], term: Term) -> set[int]:
    def has(said: str) -> bool:
        return said.startswith(term.text) if term.beginning else said == term.text

    return {number for number, terms in enumerate(sessions) if any(map(has, terms))}


@given(st.lists(_SESSIONS, min_size=1, max_size=4), st.booleans())
def test_every_term_leads_to_its_sessions(parts: list[list[frozenset[str]]], small: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postings, "_BLOCK", 12 if small else 6_000)
        segments = [(len(part), [block for _, block in postings.blocks(postings.entries(part))]) for part in parts]
        written = list(postings.blocks(postings.joined(segments)))
    together = [session for part in parts for session in part]
    terms = {term for session in together for term in session} | {"a", "zz", "退", "\x00"}
    for text in terms:
        for beginning in (False, True):
            assert asked(written, Term(text, beginning)) == truth(together, Term(text, beginning))


@given(st.lists(st.tuples(st.integers(-(10**13), 10**13), st.integers(1, 2**62)), max_size=30), st.randoms())
def test_places_are_read_by_number(places: list[tuple[int, int]], random: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postings, "_PAGE", 4)
        packed = postings.pack_places(places)
        numbers = sorted(range(len(places)), key=lambda _: random.random())  # type: ignore[attr-defined]
        assert list(postings.places_of(packed, numbers)) == [places[number] for number in numbers]


def test_a_common_term_costs_little_more_than_a_bit_a_session() -> None:
    """Which is what makes an entry of every session affordable."""
    sessions = [{"退款"} if number * 7 % 10 < 5 else {"运费"} for number in range(10_000)]
    assert sum(len(block) for _, block in postings.blocks(postings.entries(sessions))) < 2 * 10_000 / 4
