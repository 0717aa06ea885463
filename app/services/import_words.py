"""What the command line and the dialog say about an import, so that both say the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.domain.counters import WINDOWS
from app.domain.language import T
from app.domain.metrics import METRICS
from app.sources.jd_export import Problem

if TYPE_CHECKING:
    from app.services.imports import Imported, Preview, Skipped
    from app.storage.imported import Plan

_NAMED = 8


def _told_by() -> dict[str, set[str]]:
    """{metric: the counters it tells of}, each counter once: by its sum, or else by the rate or mean that is made of it."""
    found: dict[str, str] = {}
    for metric in sorted(METRICS.values(), key=lambda metric: metric.is_ratio):
        if len(metric.top) == 1 and metric.percentile is None:
            for window in WINDOWS:
                for name in metric.top:
                    found.setdefault(name.replace("{W}", window), metric.key)
    return {key: {name for name, teller in found.items() if teller == key} for key in METRICS}


_TOLD_BY = _told_by()


def lost_of(plan: Plan) -> dict[str, Any]:
    """{"unsaid" (the file speaks of that part of the day and no longer says it), "refuted" (it contradicts it), "outsold" (of order
    lines: it says the sales of the whole day): {"days": of agents, "figures": [metric]}}: what earlier imports said and what holds no
    more; "waiting": what the file's own order lines say and what does not hold, as an earlier import says the sales of the whole day."""
    return {
        why: {"days": lost.days, "figures": [key for key, names in _TOLD_BY.items() if names & lost.names]}
        for why, lost in (("unsaid", plan.unsaid), ("refuted", plan.refuted), ("outsold", plan.outsold), ("waiting", plan.waiting))
    }


def place(problem: Problem) -> T:
    """A problem with where it is."""
    zh = (f"第 {problem.row} 行" if problem.row else "") + (f"“{problem.column}”" if problem.column else "")
    en = ", ".join(([f"Row {problem.row}"] if problem.row else []) + ([f"“{problem.column}”"] if problem.column else []))
    said = problem.sentence
    return T(f"{zh}：{said.zh}" if zh else said.zh, f"{en}: {said.en}" if en else said.en)


def refusal(blocked: Sequence[Problem]) -> T:
    """One sentence for problems that stand in the way: the first, and how many more."""
    first, more = place(blocked[0]), len(blocked) - 1
    return T(
        f"没有导入任何内容。{first.zh}" + (f"（另有 {more} 处）" if more else ""),
        f"Nothing was imported. {first.en}" + (f" ({more} more)" if more else ""),
    )


def forecast(seen: Preview) -> list[T]:
    """What importing would do, line by line."""
    found = []
    if seen.period is not None:
        found.append(_extent(str(seen.period[0]), str(seen.period[1]), len(seen.agents), len(seen.days), len(seen.lines)))
    if seen.plan.replaced:
        n = seen.plan.replaced
        found.append(T(f"替换较早导入的 {n} 个客服日", f"Replaces {_many(n, 'agent day')} of an earlier import"))
    found += _losing(lost_of(seen.plan))
    found += _both(seen.plan.new, seen.window if seen.one_window else "", seen.export.duplicates, seen.export.summary_rows)
    unknown = [column.header for column in seen.export.columns if column.state == "unknown"]
    if unknown:
        named = _named(unknown)
        found.append(T(f"没有识别的列：{named.zh}", f"Columns not known: {named.en}"))
    return found


def outcome(done: Imported) -> list[T]:
    """What an import did, line by line."""
    found = [_extent(done.first, done.last, done.agents, done.days, done.lines)]
    if done.replaced:
        found.append(T(f"替换了较早导入的 {done.replaced} 个客服日", f"Replaced {_many(done.replaced, 'agent day')} of an earlier import"))
    found += _losing(done.lost)
    if not done.changed:
        found.append(T("数字没有变化", "No number has changed"))
    found += _both(done.created, done.window, done.duplicates, done.summary_rows)
    found += skipping(done.skipped)
    if done.differing:
        found.append(
            T("与文件自己的总值不符：" + "、".join(METRICS[key].label.zh for key in done.differing),
              "Differs from the file's own totals: " + ", ".join(METRICS[key].label.en for key in done.differing))
        )  # fmt: skip
    return found


def skipping(skipped: Sequence[Skipped]) -> list[T]:
    """Days of agents that are left as recorded."""
    found = []
    whole = [f"{skip.agent} {skip.day}" for skip in skipped if skip.what == "all"]
    if whole:
        named = _named(whole)
        found.append(
            T(
                f"跳过 {len(whole)} 个已有真实会话的客服日：{named.zh}",
                f"{_many(len(whole), 'agent day')} with real sessions left out: {named.en}",
            )
        )
    times = len(skipped) - len(whole)
    if times:
        found.append(T(f"{times} 个客服日已有真实的登录时长，保留真实的", f"Real login times kept on {_many(times, 'agent day')}"))
    return found


def _losing(lost: Mapping[str, Any]) -> Iterable[T]:
    for why, days, figures in ((why, said["days"], said["figures"]) for why, said in lost.items()):
        if not days:
            continue
        zh, en = "、".join(METRICS[key].label.zh for key in figures), ", ".join(METRICS[key].label.en for key in figures)
        if why == "unsaid":
            yield T(
                f"{days} 个客服日不再有较早导入的{zh}：这个文件没有",
                f"{_many(days, 'agent day')} lose {en} of an earlier import: not in this file",
            )
        elif why == "outsold":
            yield T(
                f"{days} 个客服日改用这个文件的全天销售数据：较早导入的订单明细保留但不计入，撤销这次导入后恢复",
                f"{_many(days, 'agent day')} take the sales of the whole day from this file: order lines of earlier imports are kept and "
                "not counted; undoing this import brings them back",
            )
        elif why == "waiting":
            yield T(
                f"{days} 个客服日已有较早导入的全天销售数据，以它为准：这些天的订单明细保留但不计入，撤销那次导入后计入",
                f"{_many(days, 'agent day')} keep the sales of the whole day of an earlier import: the order lines of these days are kept "
                "and not counted until it is undone",
            )
        else:
            yield T(
                f"{days} 个客服日与较早导入的{zh}矛盾：以这个文件为准，不再保留",
                f"{_many(days, 'agent day')} contradict {en} of an earlier import: this file holds, and those are dropped",
            )


def _extent(first: str, last: str, agents: int, days: int, lines: int) -> T:
    zh, en = (first, first) if first == last else (f"{first} 至 {last}", f"{first} to {last}")
    return T(
        f"{zh}：{agents} 位客服，{days} 个客服日" + (f"，{lines} 行订单" if lines else ""),
        f"{en}: {_many(agents, 'agent')}, {_many(days, 'agent day')}" + (f", {_many(lines, 'order line')}" if lines else ""),
    )


def _both(new: Sequence[str], window: str, duplicates: int, summary_rows: int) -> Iterable[T]:
    if new:
        named = _named(new)
        yield T(f"新建客服 {len(new)} 位：{named.zh}", f"{_many(len(new), 'new agent')}: {named.en}")
    if window:
        yield T(f"销售数据计入 {window} 时效；其他时效没有数据", f"Sales go to the order window {window}; the others get none")
    if summary_rows or duplicates:
        yield T(
            f"不计入：{summary_rows} 行汇总，{duplicates} 行重复",
            f"Not counted: {_many(summary_rows, 'summary row')}, {_many(duplicates, 'duplicate')}",
        )


def _named(names: Sequence[str]) -> T:
    more = len(names) - _NAMED
    return T(
        "、".join(names[:_NAMED]) + (f" 等 {len(names)} 个" if more > 0 else ""),
        ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else ""),
    )


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}" + ("" if count == 1 else "s")
