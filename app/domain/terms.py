"""What people call the enumerations of sessions, orders and reports, on pages and in files alike: a code to its words."""

from __future__ import annotations

from app.domain.attribution import Miss, Rule
from app.domain.language import T

KINDS = {"online": T("在线", "Online"), "leave": T("留言", "Message left")}
CHANNELS = {
    "app": T("手机客户端", "App"), "web": T("网页", "Web"), "mini": T("小程序", "Mini program"), "phone": T("电话", "Phone"),
    "other": T("其他渠道", "Other channel"),
}  # fmt: skip
PAGES = {
    "item": T("商品页", "Item page"), "shop": T("店铺首页", "Shop page"), "order": T("订单页", "Order page"),
    "logistics": T("物流页", "Delivery page"),
}  # fmt: skip
ENTRIES = {"online": T("有客服在线", "An agent was available"), "leave": T("无客服在线", "Nobody was available")}
WEEKDAYS = (
    T("周一", "Mon"), T("周二", "Tue"), T("周三", "Wed"), T("周四", "Thu"), T("周五", "Fri"), T("周六", "Sat"), T("周日", "Sun"),
)  # fmt: skip
"""By `date.weekday()`."""
POPULATIONS = {"overall": T("整体", "Overall"), "assessed": T("考核", "Assessed")}
WINDOWS = {"24h": T("24小时", "24 h"), "7d": T("7天", "7 d"), "15d": T("15天", "15 d")}
STEPS = {
    "day": T("日", "Day"), "week": T("周", "Week"), "month": T("月", "Month"), "hour": T("时段", "Hour"),
    "halfhour": T("半小时", "Half hour"),
}  # fmt: skip
"""What the rows of a report are cut by."""
CLOSERS = {
    "customer": T("客户结束", "Closed by the customer"), "agent": T("客服结束", "Closed by the agent"),
    "timeout": T("超时结束", "Timed out"), "system": T("系统结束", "Closed by the system"),
}  # fmt: skip
REASONS = {
    "routed": T("系统分配", "Routed"), "returning": T("回头客", "Returning customer"), "transfer": T("转接", "Transferred"),
    "manual": T("人工指定", "Assigned by hand"), "leave": T("留言分配", "Message handed out"),
}  # fmt: skip
ORDER_STATES = {"none": T("未下单", "Not ordered yet"), "placed": T("已下单", "Ordered already")}
SENDERS = {
    "customer": T("客户", "Customer"), "agent": T("客服", "Agent"), "bot": T("机器人", "Bot"), "system": T("系统", "System"),
}  # fmt: skip
CONTENTS = {"image": T("[图片]", "[image]"), "card": T("[卡片]", "[card]"), "file": T("[文件]", "[file]")}
RATINGS = {
    5: T("非常满意", "Very satisfied"), 4: T("满意", "Satisfied"), 3: T("一般", "Neutral"), 2: T("不满意", "Dissatisfied"),
    1: T("非常不满意", "Very dissatisfied"),
}  # fmt: skip

RULES: dict[Rule, T] = {
    "about_sku": T("最后一次咨询本商品", "The last about this item"),
    "last": T("最后一次咨询", "The last consultation"),
    "nobody": T("时效内没有已接待的会话", "No handled consultation within the window"),
    "cancelled": T("下单后15天内取消，不计", "Cancelled within 15 days of placing: does not count"),
    "not_placed": T("还没有收到下单事件", "Not heard to be placed yet"),
}
MISSES: dict[Miss, T] = {
    "leave": T("是留言，不是在线会话", "A message left, not an online session"),
    "not_received": T("客服没有回复，不算接待", "No human reply: not handled"),
    "after_order": T("在下单之后才开始", "Opened after the order"),
    "too_early": T("早于订单时效", "Too early for the window"),
    "cancelled": T("订单已取消，不计", "The order was cancelled"),
    "not_about_sku": T("没有咨询本商品", "Not about this item"),
    "earlier": T("之后还有一次会话", "A later one follows"),
}
