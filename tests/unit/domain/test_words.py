"""How texts are cut and found again, whatever they are written in."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from app.domain.words import Query, Term, cut, parse


def spoken(query: str, *texts: str) -> list[str]:
    """What of the text found is marked; [] when nothing is found."""
    asked = parse(query)
    best = asked.found_in(texts)
    return [] if best is None else [texts[best][span.start : span.end] for span in asked.spans(texts[best])]


def lets_through(query: Query, terms: set[str]) -> bool:
    """What a database does with the terms."""

    def has(term: Term) -> bool:
        return any(known.startswith(term.text) for known in terms) if term.beginning else term.text in terms

    return all(has(term) for term in query.terms)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", set()),
        ("退款", {"退款", "款"}),
        ("退款吗", {"退款", "款吗", "吗"}),
        ("吗", {"吗"}),
        ("PLUS会员ok", {"plu", "lus", "会员", "员", "ok"}),
        ("ＡＢ１２，ｶﾞ", {"ab1", "b12", "カ"}),
        ("SKU-9981_x", {"sku", "998", "981", "x"}),
        ("好😀好", {"好", "u1f600"}),
        ("שלום עולם", {"שלו", "לום", "עול", "ולם"}),
        ("a\0b", {"a", "b"}),
    ],
)
def test_cut(text: str, terms: set[str]) -> None:
    assert cut(text) == terms


def test_terms_need_no_quoting() -> None:
    """Databases take them as they are: letters and digits, none empty, none long."""
    every = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x11000), *range(0x1F300, 0x1FAFF), *range(0x20000, 0x20100)]))
    terms = cut(every + "x" * 5000)
    assert all(0 < len(term) <= 40 and not set(term) & set(" \0\t\n\"'&|!()<>:*\\") for term in terms)


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("退款", "我要退款", ["退款"]),
        ("款", "我要退款", ["款"]),
        ("Plus", "开通ＰＬＵＳ会员", ["ＰＬＵＳ"]),
        ("refund", "Refunds are slow", ["Refund"]),
        ("fund", "Refunds are slow", ["fund"]),
        ("phone", "iphone15有货", ["phone"]),
        ("one15有", "iphone15有货", ["one15有"]),
        ("15有货", "iphone15有货", []),
        ("15", "iphone15有货 15", ["15"]),
        ("re", "Refunds are slow", []),
        ("ar", "an ar, are", ["ar"]),
        ("2023110", "订单20231101234", ["2023110"]),
        ("1101", "订单20231101234", ["1101"]),
        ("3110123", "订单20231101234", ["3110123"]),
        ("234", "订单20231101234", ["234"]),
        ("34", "订单20231101234", []),
        ("3110124", "订单20231101234", []),
        ("退款 顺丰", "顺丰寄回，退款另算", ["顺丰", "退款"]),
        ('"什么时候 到"', "什么时候 到账", ["什么时候 到"]),
        ('"什么时候 到"', "什么时候。到账", []),
        ("“hello world”", "Hello World!", ["Hello World"]),
        ("😀", "好😀好😀", ["😀", "😀"]),
        ("。", "好。", ["。"]),
        ("שלום", "אמר שלום לך", ["שלום"]),
        ("ss", "Straße 5", []),
        ("strasse", "Straße 5", ["Straße"]),
        ("a", "x\0a\0x", ["a"]),
        ('5" 屏', '要5" 屏', ['5"', "屏"]),
        ("㍿", "株式会社", ["株式会社"]),
    ],
)
def test_found(query: str, text: str, marked: list[str]) -> None:
    assert spoken(query, text) == marked
    if marked:
        assert lets_through(parse(query), cut(text))


def test_words_may_be_said_by_different_messages() -> None:
    asked = parse("退款 顺丰 运费")
    assert asked.found_in(["我要退款", "运费和退款", "顺丰"]) == 1
    assert asked.found_in(["我要退款", "运费和退款"]) is None
    assert parse('"退款 顺丰"').found_in(["退款", "顺丰"]) is None


def test_nothing_asked() -> None:
    assert parse("").parts == parse("  \t\u3000 ").parts == parse('"" " "').parts == ()


def test_snippet_shows_the_hit() -> None:
    asked = parse("退款")
    text = "一" * 300 + "\n我要退款\r\n" + "二" * 300
    found = asked.snippet(text)
    assert [found.text[span.start : span.end] for span in found.spans] == ["退款"]
    assert found.text[0] == found.text[-1] == "…"
    assert len(found.text) < 110
    assert "\n" not in found.text
    assert asked.snippet("要退款退款").text == "要退款退款"
    assert asked.snippet("nothing of it").spans == ()
    ends = asked.snippet("三" * 500 + "退款")
    assert ends.text.endswith("退款")
    assert len(ends.text) > 90


def test_a_text_of_a_megabyte() -> None:
    text = "<b>退款</b> refund 😀 " * 50_000 + "x" * 100_000 + "终点站"
    started = time.process_time()
    assert len(cut(text)) < 20
    assert spoken("终点站", text) == ["终点站"]
    snippet = parse("终点站").snippet(text)
    assert "终点站" in snippet.text
    assert len(snippet.text) < 200
    assert time.process_time() - started < 10


_TEXTS = st.text(
    st.sampled_from("退款运费顺丰吗的ａＢcD12３éßŞİﬁ㍿½가ｶﾞสวัสดีשלוםनी😀👍🏽\u200d\ufe0f\0\"“ \n　。，-_'*:%()\\<&|!")
    | st.characters(exclude_categories=["Cs"]),
    min_size=1,
    max_size=30,
)


def _word(char: str) -> bool:
    return unicodedata.normalize("NFKC", char)[:1].isalnum()


@given(_TEXTS, st.integers(0, 29), st.integers(1, 6))
@example("要退款", 1, 1)
@example("x" * 50 + "退", 0, 6)
def test_every_piece_of_a_text_is_found(text: str, start: int, length: int) -> None:
    """Of scripts with blanks: every piece that begins and ends where a word does."""
    piece = text[start : start + length]
    end = start + len(piece)
    assume(parse(piece).parts)
    dense = "\u2e80"
    for border in (start, end):
        if 0 < border < len(text):
            around = text[border - 1 : border + 1]
            assume(not all(map(_word, around)) or any(char >= dense and char < "\uff00" for char in around))
            assume(all(len(unicodedata.normalize("NFKC", char)) == 1 for char in around))
    asked = parse(piece)
    assert asked.found_in([text]) == 0
    assert lets_through(asked, cut(text))
    assert all(0 <= span.start < span.end <= len(text) for span in asked.spans(text))
    snippet = asked.snippet(text)
    assert all(0 <= span.start < span.end <= len(snippet.text) for span in snippet.spans)


@given(st.text("aБ7é", min_size=3, max_size=60), st.integers(0, 57), st.integers(3, 20))
def test_any_three_characters_of_a_word_are_found(word: str, start: int, length: int) -> None:
    text = f"要{word}吗"
    part = word[min(start, len(word) - 3) :][:length]
    asked = parse(part)
    assert asked.found_in([text]) == 0
    assert lets_through(asked, cut(text))
    assert len(asked.terms) <= 16


@given(_TEXTS, _TEXTS)
def test_the_index_never_hides_what_is_there(text: str, query: str) -> None:
    asked = parse(query)
    if asked.parts and asked.found_in([text]) is not None:
        assert lets_through(asked, cut(text))
