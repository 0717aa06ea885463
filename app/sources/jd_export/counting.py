"""What a row says, turned back into counters: a rate into its count, a mean into its sum."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.domain.counters import Counts, Window
from app.domain.language import T
from app.domain.metrics import METRICS

Tell = Callable[[str, T, bool], None]
"""(key of the figure, sentence, whether it is fatal)"""

_SHOWN = 0.0006
"""A rate shown with one decimal is this near to the fraction it comes from."""


def counts(said: Mapping[str, Any], window: Window, tell: Tell) -> Counts:
    """The counters of one agent's day. `said` as reading.Record.values; sales go to `window`, the order window the file was made under.

    Figures that a row says are kept even when they are 0: so they replace what an earlier import said. Contradictions, and figures that
    cannot be turned back because what they are a share of is missing, are told.
    """
    found: Counts = {}
    consults, received = _handled(said, tell)
    _put(found, "consults", consults)
    _put(found, "received", received)
    _replies(found, said, consults, received, tell)
    _times(found, said, received, tell)
    _ratings(found, said, received, tell)
    for field, key in (("login_ms", "login_hours"), ("serving_ms", "serving_hours"), ("suspended_ms", "suspended_hours")):
        if key in said:
            found[field] = round(said[key])
    for key in ("logins", "leave_left", "leave_assigned", "presale_customers"):
        _put(found, key, said.get(key))
    answered = said.get("leave_received")
    if answered is None:
        answered = _share("leave_response", said, said.get("leave_assigned"), T("留言分配量", "leave messages assigned"), tell)
    _put(found, "leave_received", answered)
    for key in ("order_customers", "orders", "order_items", "order_amount"):
        _put(found, f"{key}_{window}", said.get(key))
    return found


def _handled(said: Mapping[str, Any], tell: Tell) -> tuple[int | None, int | None]:
    consults, received, unanswered = said.get("consults"), said.get("received"), said.get("unanswered")
    rate = said.get("answer_rate")
    if consults is None and received is not None:
        if unanswered is not None:
            consults = received + unanswered
        elif rate:
            consults = round(received / rate)
        else:
            consults = received
            tell("received", T("没有咨询量：按与接待量相同计，应答率没有意义。",
                               "No consultations: taken as equal to handled, so the answer rate means nothing."), False)  # fmt: skip
    elif consults is not None and received is None:
        if rate is not None:
            received = round(rate * consults)
        elif unanswered is not None:
            received = consults - unanswered
        else:
            received = consults
            tell("consults", T("没有接待量和应答率：按全部接待计，应答率没有意义。",
                               "Neither handled nor answer rate: taken as all handled, which means nothing."), False)  # fmt: skip
    if consults is not None and received is not None and not 0 <= received <= consults:
        tell("received", T(f"接待量 {received} 不在 0 到咨询量 {consults} 之间。请更正。",
                           f"{received} handled is not between 0 and the {consults} consultations. Correct it."), True)  # fmt: skip
    return consults, received


def _replies(found: Counts, said: Mapping[str, Any], consults: int | None, received: int | None, tell: Tell) -> None:
    base = T("咨询量", "consultations")
    for field, key in (("replied_30s", "reply_30s_rate"), ("replied_180s", "reply_180s_rate")):
        replied = _share(key, said, consults, base, tell)
        if replied is not None and received is not None and replied > received + 1:  # one more is the rounding of two rates
            label = METRICS[key].label
            tell(key, T(f"按{label.zh}应有 {replied} 次回复，多于接待量 {received}。",
                        f"{label.en} makes {replied} replies, more than {received} handled."), False)  # fmt: skip
        _put(found, field, replied)
    _put(found, "transferred_in", said.get("transferred_in"))
    handed = said.get("transferred_out")
    _put(found, "transferred_out", _share("transfer_rate", said, consults, base, tell) if handed is None else handed)


def _times(found: Counts, said: Mapping[str, Any], received: int | None, tell: Tell) -> None:
    base = T("接待量", "handled")
    each = said.get("replies_per_session")
    messages = None if each is None or received is None else round(each * received)
    _put(found, "agent_messages", messages)
    _put(found, "first_reply_ms", _share("first_reply", said, received, base, tell))
    turns = messages or received
    turn_ms = _share("avg_reply", said, turns, base, tell)
    if turn_ms is not None:
        found["turns"], found["turn_ms"] = turns or 0, turn_ms
    session_ms = _share("session_minutes", said, received, base, tell)
    if session_ms is not None:
        found["closed"], found["session_ms"] = received or 0, session_ms
    if each is not None and received is None:
        _tell_missing("replies_per_session", base, tell)


def _ratings(found: Counts, said: Mapping[str, Any], received: int | None, tell: Tell) -> None:
    handled, ratings = T("接待量", "handled"), T("评价量", "ratings")
    invited = said.get("invited")
    _put(found, "invited", _share("invite_rate", said, received, handled, tell) if invited is None else invited)
    rated = said.get("rated")
    if rated is None:
        rated = _share("rating_rate", said, received, handled, tell)
    _put(found, "rated", rated)
    for field in ("invited", "rated"):
        if received is not None and found.get(field, 0) > received:
            label = METRICS[field].label
            tell(field, T(f"{label.zh} {found[field]} 多于接待量 {received}。请核对。",
                          f"{label.en}: {found[field]}, more than the {received} handled. Check it."), False)  # fmt: skip
    for field, key in (("satisfied", "satisfaction"), ("dissatisfied", "bad_rate")):
        # Of the five levels the counters hold the outer one, and the sum of both.
        outer, inner = said.get(f"very_{field}"), said.get(field)
        value = _share(key, said, rated, ratings, tell)
        if inner is not None:
            value = inner + (outer or 0)
        _put(found, field, value)
        if value is not None and outer is not None:
            found[f"very_{field}"] = min(outer, value)
    if rated is not None and found.get("satisfied", 0) + found.get("dissatisfied", 0) > rated:
        beyond = found["satisfied"] + found["dissatisfied"] - rated
        if "satisfied" not in said and "dissatisfied" not in said and beyond > 1 + 0.01 * rated:  # beyond what whole percents round away
            tell("bad_rate", T("满意率与咨询差评率之和超过100%。请核对这两列。",
                               "Satisfaction and bad-rating rate exceed 100 % together. Check both columns."), True)  # fmt: skip
        elif "satisfied" in said or "dissatisfied" in said:
            tell("rated", T(f"满意与不满意之和多于评价量 {rated}。请更正。",
                            f"Satisfied and dissatisfied are more than the {rated} ratings. Correct it."), True)  # fmt: skip
        else:  # the rounding of two rates
            found["dissatisfied"] = rated - found["satisfied"]
    if "resolved" in said or "unresolved" in said:
        _put(found, "resolved", said.get("resolved"))
        _put(found, "unresolved", said.get("unresolved"))
    elif "resolution" in said:
        answering = rated or received
        if answering is None:
            _tell_missing("resolution", ratings, tell)
        else:
            resolved, asked = _fraction(said["resolution"], answering)
            found["resolved"], found["unresolved"] = resolved, asked - resolved


def _fraction(rate: float, most: int) -> tuple[int, int]:
    """(resolved, asked): not everybody who rates says whether it was resolved, so `asked` is the largest number up to `most` that the rate
    can be a share of."""
    for asked in range(most, 0, -1):
        resolved = round(rate * asked)
        if abs(resolved / asked - rate) < _SHOWN:
            return resolved, asked
    return round(rate * most), most


def _share(key: str, said: Mapping[str, Any], base: int | None, of: T, tell: Tell) -> int | None:
    """The rate or mean times what it was taken over, half up; None where the row does not say it."""
    value = said.get(key)
    if value is None:
        return None
    if base is None:
        _tell_missing(key, of, tell)
        return None
    return int(value * base + 0.5)


def _tell_missing(key: str, of: T, tell: Tell) -> None:
    label = METRICS[key].label
    tell(
        key, T(f"没有{of.zh}，{label.zh}无法换算，没有导入。", f"{label.en} cannot be turned into counts without {of.en}: left out."), False
    )


def _put(found: Counts, field: str, value: int | None) -> None:
    if value is not None:
        found[field] = value
