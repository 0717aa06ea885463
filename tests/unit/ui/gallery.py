"""Renders every widget in both themes and both languages: python -m tests.unit.ui.gallery FOLDER [part of a sheet's name]."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from app.domain.language import T, set_language, tr
from app.domain.metrics import METRICS, OVERVIEW_TILES, SEAT_COLUMNS, SEAT_OPTIONAL
from app.domain.statistics import Funnel
from ui import theme
from ui.widgets.buttons import Button, IconButton
from ui.widgets.chart import ChartCard, ChartData, Series
from ui.widgets.drawer import Drawer
from ui.widgets.empty import EmptyState
from ui.widgets.field import FormField
from ui.widgets.funnel import FunnelPlot
from ui.widgets.heatmap import HeatMap
from ui.widgets.inputs import DateEdit, NumberEdit, dress_calendar
from ui.widgets.metric_text import metric_tooltip
from ui.widgets.order_funnel import OrderFunnel
from ui.widgets.painted import Entry
from ui.widgets.pill import ConnectionPill
from ui.widgets.ranking import RankingBars
from ui.widgets.search import SearchEdit
from ui.widgets.segmented import Segmented
from ui.widgets.skeleton import Skeleton
from ui.widgets.table import Cell, Column, DataTable, RowTableModel
from ui.widgets.tile import Change, TileData
from ui.widgets.tile_grid import TileGrid
from ui.widgets.timeline import PresenceRow, PresenceRows, PresenceTimeline, Stretch
from ui.widgets.toast import show_toast
from ui.widgets.transcript import Bubble, Transcript


def page(width: int, height: int) -> tuple[QWidget, QVBoxLayout]:
    sheet = QWidget()
    sheet.setObjectName("page")
    sheet.resize(width, height)
    column = QVBoxLayout(sheet)
    column.setContentsMargins(24, 24, 24, 24)
    column.setSpacing(16)
    return sheet, column


def tiles(width: int, height: int) -> QWidget:
    sheet, column = page(width, height)
    grid = TileGrid([(key, METRICS[key].label) for key in OVERVIEW_TILES])
    samples = [0.931, 0.78, 0.55, 1234, 28, 12, None, 1234567.8]
    data = {}
    for index, key in enumerate(OVERVIEW_TILES):
        metric = METRICS[key]
        value = {"%": 0.93 - 0.06 * (index % 5), "yuan": 1234567.8}.get(metric.unit, samples[3 + index % 3])
        if key == "resolution":
            value = None
        data[key] = TileData(
            metric.text(value),
            tr("元", "CNY") if metric.unit == "yuan" else "",
            metric.level(value),
            (Change("yesterday", "3.2%", (index % 3) - 1), Change("week", "11.4%", ((index + 1) % 3) - 1)) if value is not None else (),
            tuple(None if 20 < i < 24 else 20 + 10 * math.sin(i / 5 + index) + (i * index) % 7 for i in range(48)) if value else (),
            metric_tooltip(metric, {}),
            tr("3 分钟前", "3 min ago") if key in ("seats_offline", "order_items") else "",
        )
    grid.set_data(data)
    column.addWidget(grid)
    column.addStretch(1)
    return sheet


def controls() -> QWidget:
    sheet, column = page(900, 1000)
    title = QLabel(tr("控件", "Controls"))
    title.setProperty("look", "title")
    column.addWidget(title)
    row = QHBoxLayout()
    for kind, text in (
        ("primary", tr("保存", "Save")), ("quiet", tr("试算", "Try it")), ("danger", tr("删除分组", "Delete group")),
        ("plain", tr("放弃修改", "Discard")),
    ):  # fmt: skip
        row.addWidget(Button(text, kind))
    disabled = Button(tr("保存", "Save"), "primary")
    disabled.setEnabled(False)
    row.addWidget(disabled)
    row.addWidget(Button(tr("导出", "Export"), "quiet", "export"))
    row.addWidget(Button(tr("添加成员", "Add member"), "primary", "add"))
    row.addWidget(IconButton("refresh", tr("刷新", "Refresh")))
    row.addWidget(IconButton("columns", tr("列", "Columns")))
    row.addStretch(1)
    column.addLayout(row)
    row = QHBoxLayout()
    row.addWidget(Segmented([("5", tr("5 分钟", "5 min")), ("30", tr("30 分钟", "30 min")), ("60", tr("1 小时", "1 h"))], "30"))
    search = SearchEdit(tr("按姓名、拼音搜索", "Search by name"))
    row.addWidget(search, 1)
    column.addLayout(row)
    row = QHBoxLayout()
    for state, age in (
        ("live", tr("1 秒前", "1 s ago")), ("delayed", tr("12 秒前", "12 s ago")), ("reconnecting", tr("40 秒前", "40 s ago")),
        ("offline", tr("3 分钟前", "3 min ago")), ("paused", ""),
    ):  # fmt: skip
        pill = ConnectionPill()
        pill.set_state(state, age, "db.example" if state == "live" else "")
        row.addWidget(pill)
    row.addStretch(1)
    column.addLayout(row)
    line = QLineEdit(tr("您好，欢迎光临！", "Hello and welcome!"))
    column.addWidget(FormField(tr("欢迎语", "Welcome text"), line, tr("客户打开会话时看到", "Seen when a conversation opens"), 100))
    text = QPlainTextEdit("👨‍👩‍👧‍👦 " * 12)
    text.setFixedHeight(72)
    column.addWidget(FormField(tr("离线留言", "Offline text"), text, limit=10))
    wrong = FormField(tr("有效期", "Validity"), QLineEdit("2024-13-01"))
    wrong.set_error(tr("这不是一个日期。请写成 2024-12-31。", "This is not a date. Write it as 2024-12-31."))
    column.addWidget(wrong)
    from PySide6.QtWidgets import QCheckBox, QComboBox, QProgressBar, QRadioButton, QTabBar

    row = QHBoxLayout()
    ticks = (QCheckBox(tr("接待", "Serving")), QCheckBox(tr("全部", "All")), QRadioButton("24 h"), QRadioButton("7 d"))
    for index, widget in enumerate(ticks):
        widget.setChecked(index in (0, 2))
        row.addWidget(widget)
    combo = QComboBox()
    combo.addItems([tr("售前组", "Pre-sale"), tr("售后组", "After-sale")])
    spin = NumberEdit(0, 999)
    spin.setValue(8)
    progress = QProgressBar()
    progress.setValue(40)
    for widget in (combo, spin, DateEdit(), progress):
        row.addWidget(widget)
    column.addLayout(row)
    tabs = QTabBar()
    tabs.setExpanding(False)
    tabs.setDrawBase(False)
    for key in OVERVIEW_TILES[5:12]:
        tabs.addTab(str(METRICS[key].label))
    column.addWidget(tabs)
    skeleton = Skeleton("rows")
    skeleton.setFixedHeight(110)
    column.addWidget(skeleton)
    empty = EmptyState(
        "empty", tr("还没有会话", "No sessions yet"),
        tr("选择更长的日期范围，或导入历史数据。", "Choose a longer range or import history."), tr("导入数据", "Import data"),
    )  # fmt: skip
    column.addWidget(empty, 1)
    sheet.show()
    show_toast(sheet, tr("已保存修改", "Changes saved"), "good", tr("撤销", "Undo"))
    return sheet


KINDS = {"saturation": "bar"}
STATES = (
    (T("接待", "Available"), "good"), (T("离开", "Away"), "info"), (T("挂起", "Suspended"), "warn"), (T("离线", "Offline"), "quiet")
)  # fmt: skip


def seat_columns() -> list[Column]:
    metrics = [METRICS[key] for key in (*SEAT_COLUMNS, *SEAT_OPTIONAL)]
    return [
        Column("agent", T("客服", "Agent"), "text", 132, sticky=True),
        Column("state", T("接待状态", "State"), "state"),
        *(Column(m.key, m.label, KINDS.get(m.key, "number"), tooltip=m.definition, optional=m.key in SEAT_OPTIONAL) for m in metrics),
    ]


def seat_cells(index: int, tick: int = 0) -> dict[str, Cell]:
    state, level = STATES[(0, 0, 1, 0, 2, 0, 3)[index % 7]]
    cells = {
        "agent": Cell(tr("客服", "Agent ") + "王李张刘陈杨"[index % 6] + str(index), index, "", tr("售前", "Pre") if index % 3 else ""),
        "state": Cell(str(state), level, level, tr(f"{index * 7 % 59} 分", f"{index * 7 % 59} min")),
    }
    for place, key in enumerate((*SEAT_COLUMNS, *SEAT_OPTIONAL)):
        metric = METRICS[key]
        value = (index * 37 + place * 11 + tick * 7) % 97 + (index % 10) * 130
        shown = None if (index + place) % 17 == 0 else value / 1300 if metric.unit == "%" else value if metric.unit == "n" else value * 1.5
        if key == "saturation":
            shown = (index * 13 % 12) / 10
        unit = {"yuan": tr("元", "CNY"), "min": tr("分", "min"), "s": "s", "h": "h"}.get(metric.unit, "")
        cells[key] = Cell(metric.text(shown), shown, metric.level(shown), unit if shown is not None else "")
    return cells


def table(width: int, height: int, stale: bool = False, scrolled: bool = False) -> QWidget:
    sheet, column = page(width, height)
    card = QWidget()
    card.setObjectName("page")
    column.addWidget(card, 1)
    inner = QVBoxLayout(card)
    inner.setContentsMargins(1, 1, 1, 1)
    model = RowTableModel(seat_columns())
    view = DataTable(model)
    model.set_pinned([("all", {**seat_cells(3), "agent": Cell(tr("总览", "Overview")), "state": Cell("")})])
    model.set_rows([(index, seat_cells(index)) for index in range(60)])
    view.set_stale(stale)
    inner.addWidget(view)
    sheet.show()
    view.setFocus()
    view.select(4)
    model.sort_by("received", True)
    model.update_rows({index: seat_cells(index, 1) for index in range(0, 60, 4)})
    if scrolled:
        view.horizontalScrollBar().setValue(90)
    return sheet


def chart(width: int, height: int, cursor: int = -1) -> QWidget:
    sheet, column = page(width, height)
    minutes = range(0, 1440, 5)

    def day(seed: float, until: int = 1440) -> list[float | None]:
        wave = [0.86 + 0.1 * math.sin(m / 200 + seed) + 0.02 * math.sin(m / 17 * seed) for m in minutes]
        return [None if m >= until or (600 <= m < 640 and seed == 1) else min(1.0, v) for m, v in zip(minutes, wave, strict=True)]

    rate = METRICS["reply_30s_rate"]
    card = ChartCard(
        [(key, METRICS[key].label) for key in OVERVIEW_TILES[5:]],
        [("5", tr("5 分钟", "5 min")), ("30", tr("30 分钟", "30 min")), ("60", tr("1 小时", "1 h"))],
    )
    card.set_tab("reply_30s_rate")
    today, yesterday, mean = tr("今天", "Today"), tr("昨天", "Yesterday"), tr("近7次同日均值", "Mean of 7")
    card.set_series(
        ChartData(
            (Series(today, day(1, 925)), Series(yesterday, day(2.1), "compare"), Series(mean, day(2.6), "mean")), minutes,
            format=rate.text, threshold=0.8, threshold_name=tr("目标", "Target"), from_zero=False,
        )
    )  # fmt: skip
    column.addWidget(card, 1)
    row = QHBoxLayout()
    days = [f"12-{day:02d}" for day in range(1, 31)]
    trend = ChartCard(title=tr("近 30 天", "Last 30 days"))
    counts = [[float(200 + 40 * line + (day * (7 + line)) % 60) for day in range(30)] for line in range(4)]
    names = ("王", "李", "张", "刘")
    trend.set_series(ChartData(tuple(Series(n, c, "series") for n, c in zip(names, counts, strict=True)), labels=days))
    empty = ChartCard(title=tr("今天", "Today"))
    empty.set_series(ChartData())
    for small in (trend, empty):
        small.setMinimumHeight(240)
        row.addWidget(small, 1)
    column.addLayout(row)
    sheet.show()
    for _ in range(4):
        QApplication.processEvents()
    if cursor >= 0:
        card.plot().set_cursor_index(cursor)
    return sheet


def comparisons() -> QWidget:
    sheet, column = page(1240, 1180)
    rate = METRICS["satisfaction"]
    names = [tr(zh, en) for zh, en in (("王小雨", "Olivia"), ("李建国", "Liam"), ("欧阳娜娜", "Emma"), ("陈思思", "Noah"), ("赵敏", "Ava"))]
    entries = []
    for i in range(24):
        rated = 40 + (i * 173) % 800
        share = {2: 0.84, 5: 0.99, 11: 0.88}.get(i, 0.925 + 0.015 * math.sin(i * 2.3))
        entries.append(Entry(str(i), f"{names[i % 5]}{i}", {"rated": rated, "satisfied": round(rated * share)}))
    funnel = Funnel.of((entry.key, entry.numbers["satisfied"], entry.numbers["rated"]) for entry in entries)
    bars, plot, map_, steps, rows = RankingBars(), FunnelPlot(), HeatMap(), OrderFunnel(), PresenceRows()
    bars.set_data(rate, entries, funnel.target, funnel.marks, ("0", "5"))
    plot.set_data(rate, entries, funnel)
    busy = [
        [None if hour < 8 or (day, hour) == (6, 8) else 20 + day * 4 + round(15 * math.sin(hour / 3)) for hour in range(24)]
        for day in range(7)
    ]
    map_.set_data(METRICS["consults"], busy)
    counts = {"consults": 5931, "received": 5902, "presale_customers": 3120, "order_customers": 874, "orders": 981}
    steps.set_data({**counts, "answer_rate": 5902 / 5931, "conversion": 874 / 3120})
    days = []
    for d in range(1, 8):
        stretches = (Stretch(530 + d, 720, "available"), Stretch(720, 780, "suspended"), Stretch(780, 1080 + 9 * d, "available"))
        days.append(PresenceRow(str(d), f"6/{d}", stretches))
    rows.set_rows(days)
    for pair in ((plot, bars), (map_, steps)):
        row = QHBoxLayout()
        row.setSpacing(24)
        for widget in pair:
            row.addWidget(widget, 1)
        column.addLayout(row, 1)
    column.addWidget(rows)
    return sheet


def drawer() -> QWidget:
    sheet = table(1220, 760)
    theme.set_reduced_motion(True)
    panel = Drawer(sheet)
    body = QWidget()
    column = QVBoxLayout(body)
    column.setContentsMargins(0, 8, 0, 0)
    line = PresenceTimeline()
    states = (Stretch(500, 507, "away"), Stretch(507, 690, "available"), Stretch(690, 760, "suspended"), Stretch(760, 925, "available"))
    line.set_stretches(states, 480, 1320)
    inner = QVBoxLayout()
    inner.setContentsMargins(16, 0, 16, 0)
    inner.addWidget(line)
    column.addLayout(inner)
    talk = Transcript()
    who, me = tr("客户 138****1234", "Customer 1234"), tr("王1", "Agent 1")
    answer = "您好！有货的，今天下单明天发出。需要我帮您看看尺码吗？身高体重说一下就可以。"
    answer_en = "Hello! It is in stock: order today and it ships tomorrow. Shall I look up your size?"
    talk.set_messages([
        Bubble("system", tr("会话已分配给客服王1", "Session assigned to Agent 1"), "09:30:58"),
        Bubble("customer", tr("你好，这件外套有货吗？", "Hello, is this coat in stock?"), "09:31:02", who),
        Bubble("customer", "<b>XL</b> & 180/96A", "09:31:02", who),
        Bubble("bot", tr("正在为您转接人工客服", "Handing over to an agent"), "09:31:03"),
        Bubble("agent", tr(answer, answer_en), "09:31:20", me),
        Bubble("customer", "好的" * 60, "09:31:44", who),
        Bubble("customer", "السلام عليكم", "09:32:00", who),
    ])  # fmt: skip
    talk.set_highlight(tr("尺码", "size"))
    column.addWidget(talk, 1)
    panel.open(tr("王1", "Agent 1"), QWidget())
    panel.push(tr("会话 · 客户 138****1234", "Session · customer 1234"), body)
    theme.set_reduced_motion(None)
    return sheet


def popups() -> QWidget:
    from PySide6.QtWidgets import QCalendarWidget, QListWidget

    sheet, column = page(900, 640)
    row = QHBoxLayout()
    column.addLayout(row, 1)
    calendar = QCalendarWidget()
    dress_calendar(calendar)
    calendar.setFixedSize(300, 260)
    row.addWidget(calendar)
    view = DataTable(RowTableModel(seat_columns()[:9]))
    menu = view.columns_menu()
    picture = QLabel()
    menu.ensurePolished()
    menu.adjustSize()
    picture.setPixmap(menu.grab())
    row.addWidget(picture)
    names = QListWidget()
    names.ensurePolished()
    names.setProperty("look", "card")
    names.addItems([tr("售前组", "Pre-sale"), tr("售后组", "After-sale"), tr("大客户", "Key accounts")])
    names.setCurrentRow(1)
    row.addWidget(names)
    return sheet


SHEETS = {
    "popups": popups,
    "comparisons": comparisons,
    "drawer": drawer,
    "chart-1440": lambda: chart(1100, 720, 120),
    "chart-1280": lambda: chart(860, 600, 280),
    "table-1440": lambda: table(1220, 700),
    "table-1280": lambda: table(1060, 560, scrolled=True),
    "table-stale": lambda: table(1220, 400, stale=True),
    "controls": controls,
    "tiles-1280": lambda: tiles(1060, 500),
    "tiles-1440": lambda: tiles(1220, 500),
    "tiles-2560": lambda: tiles(2340, 400),
    "tiles-narrow": lambda: tiles(700, 800),
}


def main(folder: str, part: str = "") -> None:
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name in ("light", "dark"):
        theme.apply(app, name)
        for language in ("zh", "en"):
            set_language(language)
            for sheet_name, make in SHEETS.items():
                if part not in sheet_name:
                    continue
                sheet = make()
                sheet.show()
                for _ in range(5):
                    app.processEvents()
                sheet.grab().save(f"{folder}/{sheet_name}-{name}-{language}.png")
                sheet.close()
                sheet.deleteLater()


if __name__ == "__main__":
    main(*sys.argv[1:])
