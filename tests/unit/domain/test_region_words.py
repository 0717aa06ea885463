"""A region is told in the reader's language where the table of regions has it; else as its source wrote it."""

from __future__ import annotations

import pytest

from app.domain.routing_settings import region_words


@pytest.mark.parametrize(
    ("written", "zh", "en"),
    [
        ("河南", "河南", "Henan"),
        ("广东省", "广东省", "Guangdong"),
        ("内蒙古自治区", "内蒙古自治区", "Inner Mongolia"),
        ("海外", "海外", "abroad"),
        ("广东省深圳市", "广东省深圳市", "广东省深圳市"),
        ("Berlin", "Berlin", "Berlin"),
        ("", "", ""),
    ],
)
def test_regions_in_both_languages(written: str, zh: str, en: str) -> None:
    assert (region_words(written).zh, region_words(written).en) == (zh, en)
