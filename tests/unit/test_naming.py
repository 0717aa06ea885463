"""Namesakes are told apart."""

from __future__ import annotations

from app.domain.language import set_language
from app.domain.naming import told_apart, with_code


def test_a_code_stands_only_beside_names_that_several_have() -> None:
    assert told_apart([("u1", "小美"), ("u2", "小美"), ("u3", "小丽"), ("u4", "")]) == {
        "u1": "小美（u1）", "u2": "小美（u2）", "u3": "小丽", "u4": "u4",
    }  # fmt: skip


def test_a_name_that_is_somebody_elses_code() -> None:
    assert told_apart([("u1", "u2"), ("u2", "")]) == {"u1": "u2（u1）", "u2": "u2"}


def test_a_name_that_ends_in_its_code_is_not_given_it_again() -> None:
    told = told_apart([("u1", "小美"), ("u2", "小美")])
    assert told_apart(told.items()) == told
    assert with_code("u1", told["u1"]) == "小美（u1）"


def test_brackets_are_those_of_the_language() -> None:
    set_language("en")
    assert told_apart([("u1", "May"), ("u2", "May")]) == {"u1": "May (u1)", "u2": "May (u2)"}
