"""What a person has chosen on a history page, and the two choices that all history pages share."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from app.services.reports import Question
from ui.widgets.period import Period

if TYPE_CHECKING:
    from app.domain.counters import Window
    from app.services.report_kinds import Kind, Population


@dataclass(frozen=True, slots=True)
class Choices:
    """`report` is a key of REPORTS. "" means all; group, team, channel and agent are codes, `text` a part of an agent's name or code."""

    report: str
    period: Period = field(default_factory=Period)
    by: str = ""
    group: str = ""
    team: str = ""
    channel: str = ""
    agent: str = ""
    text: str = ""

    @property
    def narrows(self) -> bool:
        """Whether anything but the days and the report is chosen that leaves rows out."""
        return bool(self.group or self.team or self.channel or self.text)

    def known_to(self, agents: Container[str], groups: Container[str], teams: Container[str]) -> Choices:
        """Without whom and what this store does not have: they were chosen in another one."""
        given = (("agent", agents), ("group", groups), ("team", teams))
        gone: dict[str, Any] = {name: "" for name, known in given if getattr(self, name) not in known}
        return replace(self, **gone)

    def state(self) -> dict[str, Any]:
        """Made of plain JSON types, for `taken_from`. A search is for the moment and not remembered."""
        kept = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("period", "text")}
        return {**kept, "period": self.period.state()}

    def taken_from(self, state: Mapping[str, Any], reports: tuple[str, ...]) -> dict[str, Any]:
        """What of a `state()`, from another version too, still fits: changes for `dataclasses.replace`."""
        found: dict[str, Any] = {
            name: state[name] for name in ("by", "group", "team", "channel", "agent") if isinstance(state.get(name), str)
        }  # fmt: skip
        if state.get("report") in reports:
            found["report"] = state["report"]
        if (period := Period.of_state(state.get("period"))) is not None:
            found["period"] = period
        return found


def question_of(choices: Choices, kind: Kind, days: tuple[date, date], population: Population, window: Window) -> Question | None:
    """The question to a report of that kind; None where it needs an agent and none is chosen."""
    if kind.needs_agent and not choices.agent:
        return None
    by: Any = None if not kind.by else choices.by if choices.by in kind.by else kind.by[0]
    return Question(
        choices.report, *days, agent=choices.agent or None if kind.needs_agent else None, group=choices.group or None,
        team=choices.team or None, channel=choices.channel or None, by=by, population=population, window=window,
    )  # fmt: skip
