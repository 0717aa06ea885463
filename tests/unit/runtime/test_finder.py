from __future__ import annotations

import pytest

from ui.runtime.finder import plain, typed, with_pinyin

NAMES = ["张三", "张思远", "单于", "坐席监控 Seats", "全局监控 Overview", "shop_0012 李小明", "刷新 Refresh"]


def found(text: str) -> list[str]:
    """Names that fit, best first."""
    readings = dict(zip(NAMES, with_pinyin(NAMES), strict=True))
    scores = {name: reading.score(typed(text)) for name, reading in readings.items()}
    return sorted((name for name, score in scores.items() if score is not None), key=lambda name: -(scores[name] or 0))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("张三", "张三"), ("zs", "张三"), ("zhangsan", "张三"), ("zhang san", "张三"), ("张s", "张三"), ("zsy", "张思远"),
        ("ZXJK", "坐席监控 Seats"), ("zuoxi", "坐席监控 Seats"), ("seat", "坐席监控 Seats"), ("ov", "全局监控 Overview"),
        ("lxm", "shop_0012 李小明"), ("0012", "shop_0012 李小明"), ("shuax", "刷新 Refresh"),
    ],
)  # fmt: skip
def test_a_few_letters_find_it(text: str, first: str) -> None:
    assert found(text)[0] == first


def test_every_reading_of_a_character_counts() -> None:
    assert found("shany") == found("dany") == found("chany") == ["单于"]


@pytest.mark.parametrize("text", ["xyz", "sz", "zhangq", "00121"])
def test_letters_in_another_order_find_nothing(text: str) -> None:
    assert found(text) == []


def test_beginnings_and_runs_rank_before_scattered_letters() -> None:
    start, middle, scattered = (reading.score("ref") or 0 for reading in with_pinyin(["Refresh", "Prefer", "Rare officer"]))
    assert start > middle
    assert start > scattered


def test_without_pinyin_the_text_itself_is_found() -> None:
    assert plain("坐席监控 Seats").score("坐席") is not None
    assert plain("坐席监控 Seats").score("sea") is not None
    assert plain("坐席监控 Seats").score("zx") is None


def test_a_long_name_and_a_long_query_end_soon() -> None:
    [reading] = with_pinyin(["客" * 2000])
    assert reading.score("k" * 200) is not None
    assert reading.score("k" * 200 + "x") is None
