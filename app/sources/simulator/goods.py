"""What the simulated store sells: four categories, some two hundred articles, a few of them sold most of the time."""

from __future__ import annotations

from dataclasses import dataclass

from app.sources.simulator.chance import mix, weighted


@dataclass(frozen=True, slots=True)
class Good:
    """`name` as in the catalogue, `short` as people say it; price in fen."""

    sku: str
    name: str
    short: str
    category: str
    price_fen: int


_BRANDS = ("木禾", "云栖里", "北杉", "澄光", "拾物集", "小满日和")
# (short name, price in yuan) and the variants of a category.
_RANGE: dict[str, tuple[tuple[tuple[str, int], ...], tuple[str, ...]]] = {
    "apparel": (
        (
            ("纯棉短袖T恤", 79), ("羊毛针织衫", 269), ("防晒衣", 159), ("冲锋衣", 399), ("直筒牛仔裤", 189), ("休闲西装", 459),
            ("运动卫裤", 129), ("轻薄羽绒服", 499), ("儿童纯棉睡衣", 99), ("亚麻衬衫", 169), ("跑步鞋", 329), ("真皮乐福鞋", 379),
            ("双肩通勤包", 239),
        ),
        ("黑色", "米白", "藏青", "浅灰"),
    ),
    "home": (
        (
            ("全棉四件套", 299), ("天然乳胶枕", 169), ("羽丝绒冬被", 369), ("夏凉空调被", 149), ("记忆棉床垫", 899), ("遮光窗帘", 119),
            ("珐琅铸铁锅", 359), ("316保温杯", 119), ("收纳箱三件套", 89), ("浴巾礼盒", 99), ("懒人沙发", 259), ("护眼台灯", 199),
        ),
        ("原木色", "雾霾蓝", "奶油白", "1.5米床", "1.8米床"),
    ),
    "appliance": (
        (
            ("空气炸锅", 329), ("破壁机", 499), ("手持挂烫机", 179), ("无线吸尘器", 899), ("电热水壶", 129), ("加湿器", 219),
            ("空气循环扇", 299), ("电饭煲", 359), ("胶囊咖啡机", 699), ("扫地机器人", 1999), ("电动牙刷", 249), ("除螨仪", 279),
        ),
        ("标准版", "升级款", "礼盒装", "白色"),
    ),
    "digital": (
        (
            ("蓝牙耳机", 299), ("20000毫安充电宝", 159), ("65W氮化镓充电器", 119), ("机械键盘", 349), ("无线鼠标", 129), ("智能手环", 259),
            ("平板支架", 59), ("4K显示器", 1599), ("移动固态硬盘", 569), ("Type-C扩展坞", 239), ("家用摄像头", 199), ("智能手表", 899),
        ),
        ("曜石黑", "月光银", "标配", "套餐二"),
    ),
}  # fmt: skip


def _catalogue() -> tuple[Good, ...]:
    goods: list[Good] = []
    for category, (articles, variants) in _RANGE.items():
        for short, yuan in articles:
            brand = _BRANDS[mix(len(goods)) % len(_BRANDS)]
            for position, variant in enumerate(variants):
                price = (yuan + 20 * position) * 100 - 10
                goods.append(Good(f"1000{mix(len(goods)) % 10**8:08d}", f"{brand} {short} {variant}", short, category, price))
    # Which article is popular has nothing to do with its category.
    return tuple(sorted(goods, key=lambda good: mix(int(good.sku))))


GOODS = _catalogue()
POPULAR = weighted([1 / (rank + 2) for rank in range(len(GOODS))])
"""A draw of what people look at: Zipf, the most popular article first."""
