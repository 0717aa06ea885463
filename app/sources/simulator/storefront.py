"""What the simulated store shows around its chats: related questions, quick entries, welcome and offline texts.

Event codes `question` and `entry` refer to these, so a demo store can be set up with them.
"""

from __future__ import annotations

WELCOME = "您好，欢迎光临本店！智能客服为您服务，请问有什么可以帮您？"
OFFLINE = "亲，客服现在不在线，服务时间为每天8:00-24:00。您可以先留言，客服上线后会第一时间回复您。"
QUESTIONS: tuple[tuple[str, str, str], ...] = (
    ("q1", "什么时候发货？", "16:00前付款的订单当天发出，16:00后付款的次日发出，预售商品以页面时间为准。"),
    ("q2", "支持七天无理由吗？", "支持七天无理由退货，商品不影响二次销售即可，运费险可抵扣寄回运费。"),
    ("q3", "怎么开发票？", "提交订单时选择电子普票即可，确认收货后可在订单详情页下载。"),
    ("q4", "有什么优惠？", "商品页可领取满减券，加入会员首单再减10元，优惠可叠加。"),
    ("q5", "发什么快递？", "默认京东快递，偏远地区以实际揽收为准，暂不支持指定其他快递。"),
    ("q6", "怎么改地址？", "订单出库前可以在订单详情页自助修改，出库后请联系客服拦截改派。"),
)
"""(code, question, answer)"""
ENTRIES: tuple[tuple[str, str], ...] = (
    ("rate", "评价"), ("coupon", "领优惠券"), ("track", "查物流"), ("return", "退换货"), ("invoice", "开发票"), ("member", "会员中心"),
)  # fmt: skip
"""(code, name)"""
