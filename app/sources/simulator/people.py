"""Who works in the simulated store, in which groups, and what its customers are like."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.events import Page
from app.sources.simulator.chance import mix, source, weighted
from app.sources.simulator.goods import POPULAR
from app.sources.simulator.plan import Plan

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金"
    "石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_GIVEN = (
    "小雨", "思远", "佳怡", "子涵", "晓彤", "文静", "雨桐", "梓萱", "浩然", "欣怡", "志强", "丽娜", "俊杰", "梦瑶", "海燕", "明轩",
    "雪梅", "嘉琪", "宇航", "诗琪", "建国", "秀英", "婷婷", "小龙", "晨曦", "若溪", "一鸣", "思思", "玉兰", "国栋", "静怡", "天佑",
    "可欣", "慧敏", "振华", "小燕", "艳红", "鹏飞", "晓峰", "紫薇", "亚楠", "春花", "永强", "倩倩", "博文", "安琪", "美玲", "子轩",
    "瑞雪", "东升", "小凡", "悦宁", "书涵", "立新", "怡然", "金凤", "少华", "星辰", "芷若", "云飞", "洁", "敏", "伟", "磊", "娜", "强",
    "静", "洋", "勇", "杰", "娟", "涛", "超", "霞", "平", "刚", "桂英", "丹", "萍", "鑫", "波", "宁", "辉", "玲", "彬", "颖", "琳", "雪",
    "凯", "晶", "倩", "莹", "帅", "岩", "佳", "蕾", "婷", "宇", "楠", "航", "彤", "曼", "轩", "瑶", "阳",
)  # fmt: skip
# Province-level region, a city in it, people in ten thousands (census of 2020).
_REGIONS: tuple[tuple[str, str, int], ...] = (
    ("广东", "广州", 12601), ("山东", "济南", 10153), ("河南", "郑州", 9937), ("江苏", "南京", 8475), ("四川", "成都", 8367),
    ("河北", "石家庄", 7461), ("湖南", "长沙", 6644), ("浙江", "杭州", 6457), ("安徽", "合肥", 6103), ("湖北", "武汉", 5775),
    ("广西", "南宁", 5013), ("云南", "昆明", 4721), ("江西", "南昌", 4519), ("辽宁", "沈阳", 4259), ("福建", "福州", 4154),
    ("陕西", "西安", 3953), ("贵州", "贵阳", 3856), ("山西", "太原", 3492), ("重庆", "重庆", 3205), ("黑龙江", "哈尔滨", 3185),
    ("新疆", "乌鲁木齐", 2585), ("甘肃", "兰州", 2502), ("上海", "上海", 2487), ("吉林", "长春", 2407), ("内蒙古", "呼和浩特", 2405),
    ("台湾", "台北", 2356), ("北京", "北京", 2189), ("天津", "天津", 1387), ("海南", "海口", 1008), ("香港", "香港", 747),
    ("宁夏", "银川", 720), ("青海", "西宁", 592), ("西藏", "拉萨", 365), ("澳门", "澳门", 68),
)  # fmt: skip
_REGION_OF = weighted([people for _, _, people in _REGIONS])
_ROADS = ("人民路", "解放大道", "建设街", "中山路", "文化路", "和平里", "滨江大道", "学府路")


@dataclass(frozen=True, slots=True)
class Agent:
    """A member of staff. `pace` scales their reply times, the rest are probabilities; `groups` are (code, weight), own group first."""

    index: int
    code: str
    name: str
    team: str
    role: str
    capacity: int
    groups: tuple[tuple[str, int], ...]
    pace: float
    satisfaction: float
    conversion: float
    invites: float
    slips: float


@dataclass(frozen=True, slots=True)
class Group:
    """A consultation group and the pages it serves; `fallback` catches everything else."""

    code: str
    name: str
    pages: tuple[Page, ...]
    fallback: bool


# code, name, pages, share of the agents, name of its teams
_GROUPS: tuple[tuple[str, str, tuple[Page, ...], float, str], ...] = (
    ("presale", "售前咨询组", ("item",), 0.5, "售前"),
    ("aftersale", "售后服务组", ("order",), 0.27, "售后"),
    ("logistics", "物流查询组", ("logistics",), 0.13, "物流"),
    ("fallback", "综合接待组", ("shop",), 0.10, "综合"),
)
FALLBACK = "fallback"
GROUPS: tuple[Group, ...] = tuple(Group(code, name, pages, code == FALLBACK) for code, name, pages, _, _ in _GROUPS)
_TEAM_SIZE = 12
_NUMERALS = "一二三四五六七八九十"


def staff(plan: Plan) -> tuple[Agent, ...]:
    """Everybody who works here, kf001 first. Names are unique; better agents answer faster, please more and sell more, but not in step."""
    rng = source(plan.seed, "staff")
    taken: dict[str, None] = {}
    while len(taken) < plan.agents:
        taken[_SURNAMES[int(rng.random() * len(_SURNAMES))] + _GIVEN[int(rng.random() * len(_GIVEN))]] = None
    names = list(taken)
    agents: list[Agent] = []
    reached = 0.0
    for own, _, _, share, team in _GROUPS:
        reached += share
        end = plan.agents if own == FALLBACK else max(1, round(plan.agents * reached))
        first = len(agents)
        for index in range(first, min(end, plan.agents)):
            skill = rng.random()
            number, place = divmod(index - first, _TEAM_SIZE)
            agents.append(
                Agent(
                    index=index,
                    code=f"kf{index + 1:03d}",
                    name=names[index],
                    team=f"{team}{_numeral(number + 1)}组",
                    role="客服主管" if index == 0 else "客服组长" if place == 0 else "普通客服",
                    capacity=4 + int(skill * 2.6 + rng.random() * 2),
                    groups=_memberships(own, index),
                    pace=1.26 - 0.28 * skill - 0.24 * rng.random(),
                    satisfaction=0.875 + 0.05 * skill + 0.05 * rng.random(),
                    conversion=0.17 + 0.12 * skill + 0.14 * rng.random(),
                    invites=0.42 + 0.35 * rng.random(),
                    slips=0.002 + 0.008 * rng.random(),
                )
            )
    return tuple(agents)


def _memberships(own: str, index: int) -> tuple[tuple[str, int], ...]:
    """Own group, a helping hand for the neighbours, and everybody in the fallback so that no customer is left alone."""
    helps = {"aftersale": "logistics", "logistics": "aftersale", "presale": "aftersale" if index % 4 == 3 else None}.get(own)
    found = [(own, 6)]
    if helps:
        found.append((helps, 2))
    if own != FALLBACK:
        found.append((FALLBACK, 2))
    return tuple(found)


def _numeral(number: int) -> str:
    """1 to 99 as Chinese writes them: 一, 十, 十一, 二十, 二十一."""
    tens, ones = divmod(number, 10)
    text = ("" if tens < 2 else _NUMERALS[tens - 1]) + ("十" if tens else "")
    return text + (_NUMERALS[ones - 1] if ones else "")


class Persona:
    """What is always true of a customer, worked out from their number alone."""

    __slots__ = ("city", "good", "member", "name", "phone", "region", "street")

    def __init__(self, number: int, salt: int) -> None:
        bits = mix(number ^ salt)
        self.region, self.city, _ = _REGIONS[_REGION_OF[bits & 4095]]
        self.good = POPULAR[(bits >> 12) & 4095]
        self.member = (bits >> 24) & 255 < 46
        given = (bits >> 32) % 16381
        if given % 5 == 0:
            self.name = f"jd_{(bits >> 28) & 0xFFFFFFFF:08x}"
        else:
            self.name = _SURNAMES[given % len(_SURNAMES)] + _GIVEN[given // len(_SURNAMES) % len(_GIVEN)]
        self.phone = f"1{3 + (bits >> 46) % 7}{(bits >> 20) % 10**9:09d}"
        self.street = f"{_ROADS[(bits >> 50) & 7]}{(bits >> 54) % 300 + 1}号"
