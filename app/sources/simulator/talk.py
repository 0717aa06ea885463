"""Words for the chats of the simulated store: templates by topic, put together with openings and endings.

Nothing here decides anything that is counted; with transcripts off it is not used at all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from app.sources.simulator.chance import source
from app.sources.simulator.goods import GOODS
from app.sources.simulator.people import Persona
from app.sources.simulator.phrases_after import AFTER_BUYING
from app.sources.simulator.phrases_before import BEFORE_BUYING
from app.sources.simulator.storefront import OFFLINE, QUESTIONS, WELCOME

Lines = tuple[str, ...]
Context = dict[str, str]
Random01 = Callable[[], float]


class Pair(NamedTuple):
    """Ways to ask one thing and ways to answer it."""

    ask: Lines
    answer: Lines


TOPICS: dict[str, Lines] = {
    "presale": ("size", "price", "delivery", "stock", "invoice", "gift"),
    "aftersale": ("return", "exchange", "quality", "quality", "refund", "protection", "invoice"),
    "logistics": ("tracking", "tracking", "urge", "address"),
    "fallback": ("membership", "activity", "complaint", "store", "price", "delivery"),
}
"""Topics of a group's conversations; pre-sale ones begin with the article's own category."""

HELLO = ("在吗", "你好", "您好", "有人吗", "亲，在吗", "客服在吗", "您好，请问一下", "hello", "在不在", "你好，咨询一下")
GREET = (
    "亲，您好，在的呢，很高兴为您服务~", "您好，我是客服%(agent)s，请问有什么可以帮您？", "亲亲，在的哦，请问想了解什么呢？",
    "您好，欢迎光临，很高兴为您服务", "在的亲，您请说~", "亲，您好呀，久等了", "您好，我是%(agent)s，您的问题我来为您解答",
    "亲爱的顾客您好，%(agent)s为您服务[微笑]",
)  # fmt: skip
EXTRA = (
    "您可以先领一下店铺的优惠券哦", "还有其他问题可以随时问我~", "喜欢可以先加购物车，关注店铺还有新人礼", "您稍等，我再帮您确认一下",
    "麻烦您稍等一下哦，正在查询", "这款最近卖得很好的", "您看这样可以吗？", "如果有不清楚的地方您再问我",
    "方便的话可以看一下详情页，里面写得很详细", "请您放心，有问题我们会负责到底的", "已经帮您记录下来了", "您这边还有什么需要了解的吗？",
    "下单后会尽快为您安排发货", "给您带来不便非常抱歉", "刚刚帮您查了一下", "有运费险的，可以放心购买",
)  # fmt: skip
MORE = (
    "麻烦快点哈", "谢谢", "我看看", "着急", "就是这个", "图片上这个", "我在%(city)s", "之前买过你们家的", "不太懂", "帮忙看一下",
    "有点纠结", "朋友推荐过来的", "刚才没说清楚", "??", "我发图给你看", "订单号%(order)s", "就是%(sku)s", "我比较急", "麻烦了",
    "第一次买",
)  # fmt: skip
CHASE = (
    "在吗？", "人呢", "怎么不回复", "？？", "还在吗", "好慢啊", "麻烦回一下", "客服呢", "等半天了", "能快点吗", "有人在吗", "hello？",
    "不理人的吗",
)  # fmt: skip
QUIT = ("算了，不问了", "不等了", "太慢了，我去别家看看", "没人就算了", "晚点再来吧", "服务也太差了")
THANKS = (
    "好的，谢谢", "好的", "嗯嗯，知道了", "OK，谢谢", "行，那我下单了", "谢谢", "明白了，谢谢客服", "好的，我再看看", "好，我考虑一下",
    "收到", "可以，麻烦你了", "好的[微笑]",
)  # fmt: skip
BYE = (
    "不客气的亲，祝您生活愉快~", "好的亲，有需要随时联系我们", "感谢您的咨询，期待您的下单", "不客气，麻烦给%(agent)s一个好评哦",
    "祝您购物愉快[玫瑰]", "好的，后续有问题您随时来找我", "感谢您的支持，再见", "亲，不客气的，应该做的",
    "好的呢，记得确认收货后给个五星好评哦",
)  # fmt: skip
INVITE = (
    "请您对%(agent)s的本次服务进行评价", "为了更好地为您服务，诚邀您对本次服务做出评价", "您的评价是我们进步的动力，请为本次服务打分",
)  # fmt: skip
TRANSFER = (
    "这个问题需要专员为您处理，我帮您转接，请稍等", "亲，帮您转接到对应的客服，请不要离开哦", "您稍等，这边为您转接同事继续处理",
    "这个由我同事负责，马上给您转过去",
)  # fmt: skip
HANDED = (
    "您好，我是%(agent)s，您的问题同事已经转给我了，我来帮您处理", "亲，您好，刚看了一下聊天记录，我来跟进",
    "您好，已经了解您的情况，%(agent)s继续为您服务",
)  # fmt: skip
OVERNIGHT = (
    "您的问题已经登记，专员明天一早联系您，请您留意消息", "这边需要核实一下，明天上午给您答复可以吗？",
    "仓库已经下班了，明早第一时间帮您核实",
)  # fmt: skip
MORNING = (
    "您好，昨晚您反馈的问题已经核实好了，这边马上帮您处理", "早上好，昨天的问题有结果了，已经为您安排",
    "亲，让您久等了，昨晚的问题今天为您处理好",
)  # fmt: skip
LEAVE_ANSWER = (
    "亲，早上好，看到您的留言了，非常抱歉昨晚没能及时回复", "您好，客服%(agent)s已上线，您的留言已经看到",
    "亲，让您久等了，您留言的问题我来回复您", "您好，昨晚客服已下班，现在为您处理",
)  # fmt: skip
SPAM = (
    "刷单兼职日结，一单%(coupon)s，加微信了解", "本店代开各类发票，联系微信", "招聘客服兼职，在家就能做，日入三百",
    "精准客源，店铺引流，需要请加V", "低价出各类会员，需要的联系",
)  # fmt: skip
WELCOMES = (WELCOME,)
OFFLINES = (OFFLINE,)
ANSWERS = {code: (answer.replace("%", "%%"),) for code, _, answer in QUESTIONS}
QUEUE = ("当前咨询人数较多，正在为您排队，请稍候", "客服正忙，您已进入排队，请耐心等待", "排队中，请不要关闭窗口")
JOINED = ("客服%(agent)s为您服务",)
CARD = ("%(name)s ￥%(price)s",)

COMMENTS_GOOD = (
    "客服态度很好", "回复很快，很耐心", "解答很详细，谢谢", "非常满意", "很专业，问题解决了", "服务好，下次还来", "小姐姐人很好",
    "有问必答", "处理很及时", "五星好评", "耐心解答，点赞", "态度热情", "帮我解决了大问题", "好评", "满意",
)  # fmt: skip
COMMENTS_FAIR = ("还行", "一般般", "回复有点慢", "问题没完全解决", "中规中矩", "希望快一点")
COMMENTS_BAD = (
    "回复太慢了", "答非所问", "态度敷衍", "问题没解决", "等了半天没人理", "推来推去的", "像机器人一样，没用", "非常失望", "说话不算数",
)  # fmt: skip

_ASK_HEADS = ("", "", "请问", "想问下", "咨询下，", "麻烦问下，", "亲，")
_ASK_TAILS = ("", "", "", "呀", "？", "？谢谢", "呢")
_ANSWER_HEADS = ("", "", "亲，", "亲亲，", "您好，", "好的，", "是这样的，")
_ANSWER_TAILS = ("", "", "哦", "呢~", "，您放心", "[微笑]", "。")


def _decorate(heads: Lines, bodies: list[str], tails: Lines) -> Lines:
    """Every body with every opening and two endings, where they fit: no second greeting, no particle after a question."""
    found: list[str] = []
    for body in bodies:
        greets = body.startswith(("您好", "你好", "亲", "请问", "想问", "好的", "非常抱歉", "我", "那", "？"))
        asks = body.endswith(("吗", "呢", "呀", "啊", "不", "没", "了", "？"))
        for turn, head in enumerate(heads):
            for tail in (tails[turn], tails[(turn + 3) % len(tails)]):
                found.append(("" if greets else head) + body + ("" if asks and not tail.startswith(("？", "[")) else tail))
    return tuple(dict.fromkeys(found))


@cache
def library() -> dict[str, tuple[Pair, ...]]:
    """The questions and answers of every topic, made at first use."""
    topics: dict[str, list[Pair]] = {}
    topic, asks = "", [""]
    for line in (BEFORE_BUYING + AFTER_BUYING).replace("\n  |", " |").splitlines():
        mark, _, rest = line.partition(" ")
        if mark == "#":
            topic = rest
        elif mark == "?":
            asks = rest.split(" | ")
        elif mark == "!":
            pair = Pair(_decorate(_ASK_HEADS, asks, _ASK_TAILS), _decorate(_ANSWER_HEADS, rest.split(" | "), _ANSWER_TAILS))
            topics.setdefault(topic, []).append(pair)
    return {name: tuple(pairs) for name, pairs in topics.items()}


_COUPONS = ("5", "10", "15", "20", "30", "50")
_GIFTS = ("运费险和小礼品", "洗漱包", "收纳袋", "一双袜子", "清洁布", "定制马克杯", "数据线")
_SIZES = {
    "apparel": ("M", "L", "XL", "XXL", "S", "40", "42"),
    "home": ("1.5米床", "1.8米床", "1.2米床", "大号", "中号"),
    "appliance": ("标准版", "大容量", "升级款"),
    "digital": ("标配", "套餐一", "套餐二"),
}
_HEIGHTS = ("158", "160", "163", "165", "168", "170", "173", "175", "178", "180", "183")
_WEIGHTS = ("95", "105", "110", "118", "125", "132", "140", "150", "160", "175")
_WAREHOUSES = ("上海", "广州", "武汉", "成都", "北京", "西安", "沈阳")
_EXPRESS = ("京东快递", "京东快递", "京东快递", "顺丰", "中通")
_PERSONS = ("女朋友", "爸妈", "老师", "同事", "孩子", "长辈")
_PEOPLE = ("3", "4", "5", "2")
_DAYS = ("1", "2", "2", "3", "1到2", "2到3")


class Script:
    """What one conversation is about: alternating questions of two topics, with the values its templates are filled from."""

    __slots__ = ("_first", "_second", "_start", "context")

    def __init__(self, rnd: Random01, group: str, persona: Persona, good: int, order: str) -> None:
        r = int(rnd() * (1 << 40))
        article = GOODS[good]
        topics = TOPICS[group]
        books = library()
        self._second = books[topics[r % len(topics)]]
        own = article.category if group == "presale" else topics[(r >> 4) % len(topics)]
        if group == "presale" and own != "apparel" and topics[r % len(topics)] == "size":
            self._second = books["price"]
        self._first = books[own]
        self._start = (r >> 8) & 7
        sizes = _SIZES[article.category]
        self.context: Context = {
            "sku": article.short, "name": article.name, "variant": article.name.rpartition(" ")[2],
            "price": f"{article.price_fen / 100:.2f}", "region": persona.region, "city": persona.city, "order": order, "agent": "小客",
            "coupon": _COUPONS[(r >> 11) % 6], "gift": _GIFTS[(r >> 14) % 7], "size": sizes[(r >> 17) % len(sizes)],
            "height": _HEIGHTS[(r >> 20) % 11], "weight": _WEIGHTS[(r >> 24) % 10], "warehouse": _WAREHOUSES[(r >> 28) % 7],
            "express": _EXPRESS[(r >> 31) % 5], "person": _PERSONS[(r >> 33) % 6], "people": _PEOPLE[(r >> 36) & 3],
            "days": _DAYS[(r >> 37) % 6], "hour": "16",
        }  # fmt: skip

    def pair(self, turn: int) -> Pair:
        """The question and answer of a turn, counted from 0."""
        book = self._second if turn & 1 else self._first
        return book[(self._start + (turn >> 1)) % len(book)]


def voice(*parts: object) -> Random01:
    """The source of chance for words alone, so that leaving them out changes nothing else."""
    return source(*parts, "talk").random
