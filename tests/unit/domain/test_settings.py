"""Settings documents: what a declaration refuses, fills in and says. A document of the tests uses everything a declaration can."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import assessment, conversation
from app.domain.documents import Body, Document, Field, List, Object, from_json, to_json
from app.domain.kinds import Choice, Clock, Date, Fault, Number, Option, Subset, Switch, Text, calling, characters
from app.domain.language import T, set_language
from app.domain.metrics import METRICS
from app.domain.permissions import PERMISSIONS
from app.domain.routing_settings import AGENTS, GROUPS, PROVINCES, REGIONS, region_of
from app.domain.settings import ASSESSMENT, DOCUMENTS, ORDER_WINDOW, STANDARDS, standards

FAMILY = "👨‍👩‍👧‍👦"
FLAG = "🇨🇳"
ACCENTED = "e\u0301"


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    set_language("en")
    yield
    set_language("zh")


def label(text: str) -> T:
    return T(f"【{text}】", text)


def one_owner_per_page(body: Mapping[str, Any]) -> Iterator[Fault]:
    owners: dict[str, str] = {}
    for index, group in enumerate(body["groups"]):
        for page in group["scope"]["pages"]:
            if page in owners:
                yield Fault(f"groups[{index}].scope.pages", T(f"{page} 属于 {owners[page]}", f"{page} belongs to {owners[page]}"))
            owners.setdefault(page, group["code"])


def known_default(body: Mapping[str, Any]) -> Iterator[Fault]:
    if body["default"] is not None and body["default"] not in (group["code"] for group in body["groups"]):
        yield Fault("default", T("没有这个组", "there is no such group"))


def begins_before_it_ends(rule: Mapping[str, Any]) -> Iterator[Fault]:
    if rule["from"] and rule["to"] and rule["from"] > rule["to"]:
        yield Fault("to", T("早于开始", "is before the beginning"))


def fallback_stays(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Fault]:
    if any(g["type"] == "fallback" for g in old["groups"]) and not any(g["type"] == "fallback" for g in new["groups"]):
        yield Fault("groups", T("兜底组不能删除", "the fallback group cannot be removed"))


MEMBER = Object((
    Field("agent", label("Agent"), Text(128, 1)),
    Field("weight", label("Weight"), Number(0, 10, whole=True), 6),
))  # fmt: skip
GROUP = Object((
    Field("code", label("Code"), Text(128, 1)),
    Field("name", label("Name"), Text(30, 1)),
    Field("type", label("Type"), Choice((Option("ordinary", label("ordinary")), Option("fallback", label("catch-all")))), "ordinary"),
    Field("open", label("Open"), Switch(), True),
    Field("prompt", label("Prompt"), Text(700, lines=True), ""),
    Field("capacity", label("Capacity"), Number(0, 999, T("人", "people"), whole=True), None, null=label("unlimited")),
    Field("scope", label("Scope"), Object((
        Field("pages", label("Pages"), Subset((Option("item", label("item page")), Option("shop", label("shop page")))), []),
        Field("skus", label("SKUs"), List(Text(128, 1), 5), []),
    ))),
    Field("members", label("Members"), List(MEMBER, 3, unique=("agent",), item=label("members")), []),
))  # fmt: skip
RULE = Object(
    (Field("from", label("From"), Date(), None, null=label("forever")), Field("to", label("To"), Date(), None, null=label("forever"))),
    (begins_before_it_ends,),
)
EVERYTHING = Document(
    "everything", label("Everything"), label("For tests"), "groups.edit",
    Object((
        Field("groups", label("Groups"), List(GROUP, 4, unique=("code", "name"), title="name", ordered=True), []),
        Field("default", label("Default"), Text(128), None, null=label("none")),
        Field("at", label("At"), Clock(5, midnight_ends=True), "09:00"),
        Field("share", label("Share"), Number(0, 1), 0.5),
        Field("valid", label("Valid"), RULE),
    ), (one_owner_per_page, known_default)),
    steps=(fallback_stays,),
)  # fmt: skip


def group(code: str = "a", /, **fields: Any) -> Body:
    return {"code": code, "name": f"Group {code}", **fields}


def lines(body: Any, document: Document = EVERYTHING, current: Body | None = None) -> list[str]:
    return [str(fault) for fault in document.validate(body, current)]


def members(*weights: Any) -> list[Body]:
    return [{"agent": f"wang{i:02}", "weight": weight} for i, weight in enumerate(weights)]


class TestFaults:
    def test_the_path_leads_to_the_place(self) -> None:
        body = {"groups": [group("a"), group("b", members=members(11))]}
        assert lines(body) == ["groups[1].members[0].weight: 11 is not between 0 and 10"]
        set_language("zh")
        assert lines(body) == ["groups[1].members[0].weight: 11 不在 0 到 10 之间"]

    def test_all_of_them_are_told_at_once(self) -> None:
        found = lines({"groups": [group("a", opne=True, members=members(-1, 6, 99)), {"name": ""}], "at": "9"})
        assert [line.split(":")[0] for line in found] == [
            "groups[0].opne", "groups[0].members[0].weight", "groups[0].members[2].weight", "groups[1].code", "groups[1].name", "at",
        ]  # fmt: skip
        assert found[0].endswith("is not known; did you mean open?")
        assert found[3].endswith("is missing")

    @pytest.mark.parametrize("weight", [0, 10])
    def test_limits_are_inclusive(self, weight: int) -> None:
        assert lines({"groups": [group(members=members(weight))]}) == []

    @pytest.mark.parametrize("weight", [-1, 11, True, 6.0, 6.5, "6", None, [], {}, float("nan"), float("inf"), 10**400])
    def test_what_is_no_weight(self, weight: Any) -> None:
        (line,) = lines({"groups": [group(members=members(weight))]})
        assert line.startswith("groups[0].members[0].weight: ")
        assert len(line) < 100

    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("share", 1.01, "1.01 is not between 0 and 1"),
            ("share", True, "true is not a number"),
            ("at", "9:00", '"9:00" is not a time of the day; write HH:MM, such as 09:00'),
            ("at", "24:05", '"24:05" is not a time of the day; write HH:MM, such as 09:00'),
            ("at", "12:60", '"12:60" is not a time of the day; write HH:MM, such as 09:00'),
            ("at", "１２:００", '"１２:００" is not a time of the day; write HH:MM, such as 09:00'),
            ("at", "12:03", '"12:03" is not on a step of 5 minutes'),
            ("at", None, "null is not a time of the day; write HH:MM, such as 09:00"),
            ("groups", {}, "an object is not a list"),
            ("groups", [group(str(n)) for n in range(5)], "has 5 entries; 0 to 4 are allowed"),
            ("groups", [*(group(str(n)) for n in range(4)), "what is beyond is not looked at"], "has 5 entries; 0 to 4 are allowed"),
            ("valid", [], "a list is not an object"),
            ("default", "nobody", "there is no such group"),
        ],
    )
    def test_one_sentence_each(self, field: str, value: Any, said: str) -> None:
        assert lines({field: value}) == [f"{field}: {said}"]

    @pytest.mark.parametrize("at", ["00:00", "23:55", "24:00"])
    def test_times_of_the_day(self, at: str) -> None:
        assert lines({"at": at}) == []

    def test_the_end_of_the_day_only_where_a_day_can_end(self) -> None:
        assert list(Clock().faults("24:00", "from"))
        assert not list(Clock().faults("23:59", "from"))

    @pytest.mark.parametrize("day", ["2026-02-30", "20260201", "2026-2-1", "2026-W05-1", 20260201, ""])
    def test_what_is_no_date(self, day: Any) -> None:
        (line,) = lines({"valid": {"from": day}})
        assert line.startswith("valid.from: ")

    @pytest.mark.parametrize("body", [None, 3, "text", [], True])
    def test_what_is_no_document(self, body: Any) -> None:
        (line,) = lines(body)
        assert line.endswith("is not an object")

    def test_a_choice_names_what_can_be_chosen(self) -> None:
        assert lines({"groups": [group(type="vip")]}) == ['groups[0].type: "vip" is not one of ordinary, fallback']

    def test_options_and_texts_of_a_list_differ(self) -> None:
        scope = {"pages": ["item", "cart", "item"], "skus": ["1", "2", "1"]}
        assert lines({"groups": [group(scope=scope)]}) == [
            'groups[0].scope.pages[1]: "cart" is not one of item, shop',
            'groups[0].scope.pages[2]: "item" is there twice',
            'groups[0].scope.skus[2]: "1" is already in groups[0].scope.skus[0]',
        ]

    def test_unique_fields(self) -> None:
        body = {"groups": [group("a"), group("b", members=members(1)), {"code": "a", "name": "Group b"}]}
        assert lines(body) == [
            'groups[2].code: "a" is already in groups[0]',
            'groups[2].name: "Group b" is already in groups[1]',
        ]

    def test_checks_between_fields_wait_until_the_fields_are_right(self) -> None:
        shared = [group("a", scope={"pages": ["item"]}), group("b", scope={"pages": ["item", "shop"]})]
        assert lines({"groups": shared}) == ["groups[1].scope.pages: item belongs to a"]
        assert lines({"groups": shared, "share": 7}) == ["share: 7 is not between 0 and 1"]
        assert lines({"valid": {"from": "2026-03-02", "to": "2026-03-01"}}) == ["valid.to: is before the beginning"]
        assert lines({"valid": {"from": "2026-03-02", "to": None}}) == []

    def test_what_must_not_be_undone(self) -> None:
        current = EVERYTHING.complete({"groups": [group(type="fallback")]})
        assert lines({"groups": [group("b")]}, current=current) == ["groups: the fallback group cannot be removed"]
        assert lines({"groups": [group("b", type="fallback")]}, current=current) == []
        assert lines({"groups": [group("b")]}) == []

    def test_a_flood_of_faults_ends(self) -> None:
        assert len(lines({f"k{n}": n for n in range(10_000)})) == 100
        assert len(lines({"groups": [group(scope={"pages": ["x"] * 200_000})]})) == 100

    def test_a_fault_shows_nothing_a_terminal_would_obey(self) -> None:
        for line in lines({"\x1b[2J": 1, "at": "\x1b]0;x\x07", "a\nb": 2, "ab‮": 1, "x" * 1_000_000: 1, "default": "\ud800"}):
            assert line.isprintable()
            assert len(line) < 160
            line.encode()


class TestCharacters:
    @pytest.mark.parametrize(
        ("text", "count"),
        [
            ("", 0),
            ("客服", 2),
            (FAMILY, 1),
            (FLAG, 1),
            (ACCENTED, 1),
            ("👍🏽", 1),
            ("각", 1),
            ("नि", 1),
            ("a\r\nb", 3),
            (FAMILY + "a" + FLAG, 3),
        ],
    )
    def test_as_a_person_counts(self, text: str, count: int) -> None:
        assert characters(text) == count

    @pytest.mark.parametrize("one", ["客", FAMILY, FLAG, ACCENTED])
    def test_a_text_at_its_limit(self, one: str) -> None:
        assert lines({"groups": [{"code": "a", "name": one * 30}]}) == []
        assert lines({"groups": [{"code": "a", "name": one * 31}]}) == ["groups[0].name: has 31 characters, 30 are allowed"]

    def test_at_least(self) -> None:
        assert list(Text(9, 2).faults(FAMILY, "x")) == [Fault("x", T("有 1 个字符，至少要 2 个", "has 1 characters, 2 are needed"))]
        assert not list(Text(9, 2).faults(FAMILY + "a", "x"))

    def test_one_character_cannot_hide_a_megabyte(self) -> None:
        (line,) = lines({"groups": [{"code": "a", "name": "e" + "\u0301" * 1_000_000}]})
        assert "characters, 30 are allowed" in line

    @pytest.mark.parametrize("name", ["", "   ", "\u3000"])
    def test_blanks_are_no_name(self, name: str) -> None:
        assert lines({"groups": [{"code": "a", "name": name}]}) == ["groups[0].name: must not be empty"]

    @pytest.mark.parametrize("text", ["a\0b", "a\x1bb", "a\x85b", "a\ud800b"])
    def test_control_characters(self, text: str) -> None:
        assert lines({"groups": [group(prompt=text)]}) == ["groups[0].prompt: contains control characters; remove them"]

    def test_line_breaks_where_there_are_lines(self) -> None:
        assert lines({"groups": [group(prompt="a\nb\tc")]}) == []
        assert lines({"groups": [{"code": "a", "name": "a\nb"}]}) != []

    @pytest.mark.parametrize("text", ["=cmd|'/c calc'!A0", "<b>", "שלום‏", "% s {0} {x}"])
    def test_texts_are_kept_as_they_are(self, text: str) -> None:
        body = {"groups": [group(prompt=text)], "default": "a"}
        assert lines(body) == []
        assert from_json(to_json(EVERYTHING.complete(body)))["groups"][0]["prompt"] == text
        (change,) = EVERYTHING.difference({"groups": [group()], "default": "a"}, body)
        assert str(change.after) == text


class TestDefaults:
    def test_what_is_left_out_is_filled_in(self) -> None:
        assert EVERYTHING.default() == {
            "groups": [], "default": None, "at": "09:00", "share": 0.5, "valid": {"from": None, "to": None},
        }  # fmt: skip
        whole = EVERYTHING.complete({"groups": [group(scope={"pages": ["shop", "item"]}, members=[{"agent": "x"}])]})
        assert whole["groups"] == [{
            "code": "a", "name": "Group a", "type": "ordinary", "open": True, "prompt": "", "capacity": None,
            "scope": {"pages": ["item", "shop"], "skus": []}, "members": [{"agent": "x", "weight": 6}],
        }]  # fmt: skip

    def test_nobody_changes_a_default_for_the_others(self) -> None:
        EVERYTHING.default()["groups"].append(group())
        EVERYTHING.complete({"groups": [group()]})["groups"][0]["scope"]["skus"].append("1")
        assert EVERYTHING.default()["groups"] == []
        assert EVERYTHING.complete({"groups": [group()]})["groups"][0]["scope"]["skus"] == []

    def test_an_older_body_is_read_by_a_newer_declaration(self) -> None:
        assert EVERYTHING.complete({"groups": [], "gone": 1}) == EVERYTHING.default()


class TestDifference:
    def told(self, old: Body, new: Body) -> list[tuple[str, str, str, str]]:
        return [(c.path, str(c.label), str(c.before), str(c.after)) for c in EVERYTHING.difference(old, new)]

    def test_in_words(self) -> None:
        old = {"groups": [group("a", members=members(6))]}
        new = {"groups": [group("a", open=False, capacity=8, scope={"pages": ["shop"]}, members=members(3))], "default": "a", "share": 1}
        assert self.told(old, new) == [
            ("groups[0].open", "Groups › Group a › Open", "on", "off"),
            ("groups[0].capacity", "Groups › Group a › Capacity", "unlimited", "8 people"),
            ("groups[0].scope.pages", "Groups › Group a › Scope › Pages", "none", "shop page"),
            ("groups[0].members[0].weight", "Groups › Group a › Members › wang00 › Weight", "6", "3"),
            ("default", "Default", "none", "a"),
            ("share", "Share", "0.5", "1"),
        ]

    def test_who_is_who_does_not_depend_on_the_place(self) -> None:
        old = {"groups": [group("a"), group("b"), group("c")]}
        new = {"groups": [group("d", members=members(0)), group("c"), group("b", name="Bees")]}
        assert self.told(old, new) == [
            ("groups[0]", "Groups › Group d", "none", "Code d, Name Group d, Members wang00"),
            ("groups[2].name", "Groups › Bees › Name", "Group b", "Bees"),
            ("groups[0]", "Groups › Group a", "Code a, Name Group a", "none"),
            ("groups", "Groups › order", "Group b, Group c", "Group c, Bees"),
        ]

    def test_order_where_it_does_not_matter(self) -> None:
        old = {"groups": [group(members=members(1, 2), scope={"pages": ["item", "shop"], "skus": ["1", "2"]})]}
        new = {"groups": [group(members=members(1, 2)[::-1], scope={"pages": ["shop", "item"], "skus": ["2", "1"]})]}
        assert self.told(old, new) == []

    def test_both_languages_are_there_at_once(self) -> None:
        (change,) = EVERYTHING.difference({"groups": [group()]}, {"groups": [group(open=False)]})
        assert change.label == T("【Groups】 › Group a › 【Open】", "Groups › Group a › Open")
        assert change.after == T("关", "off")


class TestJson:
    def test_a_key_written_twice_is_not_lost_silently(self) -> None:
        with pytest.raises(ValueError, match='"window" is written twice'):
            from_json('{"window": "24h", "window": "7d"}')

    def test_where_it_is_no_json(self) -> None:
        with pytest.raises(ValueError, match="line 2, character 3"):
            from_json('{\n  window: "24h"}')

    def test_nested_without_end(self) -> None:
        with pytest.raises(ValueError, match="too deeply"):
            from_json("[" * 100_000)

    def test_a_number_without_end(self) -> None:
        assert lines(from_json('{"share": ' + "9" * 100_000 + "}")) != []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["09:00", "item", "a", "24h", FAMILY]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5) | st.sampled_from(["groups", "code", "name"]), inner),
    max_leaves=20,
)


def like(value: Any) -> st.SearchStrategy[Any]:
    """Values like this one: each part as it is, or anything."""
    if isinstance(value, dict):
        shaped: st.SearchStrategy[Any] = st.fixed_dictionaries({}, optional={key: like(held) for key, held in value.items()})
    elif isinstance(value, list):
        shaped = st.lists(st.one_of(*map(like, value)) if value else json_values, max_size=4)
    else:
        shaped = st.just(value)
    return st.integers(0, 9).flatmap(lambda chance: shaped if chance else json_values)


FULL = {
    "groups": [group("a", type="fallback", members=members(1)), group("b", capacity=3, scope={"pages": ["item"], "skus": ["7"]})],
    "default": "a", "at": "10:05", "share": 0.25, "valid": {"from": "2026-01-01", "to": "2026-02-01"},
}  # fmt: skip


FULL_GROUPS = {
    "groups": [
        group("presale", scope={"pages": ["item", "shop"], "regions": ["上海", "江苏"], "order_state": "none"}, members=members(6)),
        group("vip", scope={"customer_tags": ["PLUS"], "skus": ["100012"]}, open=False, overflow=False, prompt="您好\n请讲"),
        group("rest", type="fallback", members=members(0, 10)),
    ],
    "default_group": "presale",
}
FULL_AGENTS = {
    "agents": [
        {"agent": "wang01", "name": "王小", "team": "一组", "capacity": 8, "receives": True},
        {"agent": "li02", "capacity": None, "receives": False},
    ]
}
FULL_BODIES = {"everything": FULL, "groups": FULL_GROUPS, "agents": FULL_AGENTS}


@pytest.mark.parametrize("document", [EVERYTHING, *DOCUMENTS.values()], ids=lambda document: document.key)
@given(data=st.data())
def test_any_json_has_faults_or_is_valid(document: Document, data: st.DataObject) -> None:
    """Never an exception; and what is valid stays so when filled in, written and read again, and compares with the defaults."""
    body = data.draw(json_values | like(FULL_BODIES.get(document.key) or document.default()))
    faults = document.validate(body)
    for fault in faults:
        assert str(fault).isprintable()
        str(fault).encode()
    if not faults:
        whole = document.complete(body)
        assert document.validate(whole) == []
        assert from_json(to_json(whole)) == whole
        assert document.complete(whole) == whole
        assert document.difference(whole, whole) == []
        assert bool(document.difference(document.default(), whole)) == (whole != document.default())


class TestDeclared:
    @pytest.mark.parametrize("document", DOCUMENTS.values(), ids=lambda document: document.key)
    def test_each_document_holds_together(self, document: Document) -> None:
        assert document.validate(document.default()) == []
        assert document.permission in PERMISSIONS
        assert len(document.key) <= 32
        assert [document.validate(preset.body) for preset in document.presets] == [[]] * len(document.presets)

    def test_the_order_window(self) -> None:
        assert ORDER_WINDOW.default() == {"window": "24h"}
        assert lines({"window": "15d"}, ORDER_WINDOW) == []
        assert lines({"window": "30d"}, ORDER_WINDOW) == ['window: "30d" is not one of 24h, 7d, 15d']

    def test_the_assessment(self) -> None:
        assert ASSESSMENT.default() == {"from": "09:00", "to": "23:00", "leave_out": ["spam", "bot_only"]}
        assert lines({"from": "22:00", "to": "06:00", "leave_out": []}, ASSESSMENT) == []
        assert lines({"from": "24:00", "to": "09:02"}, ASSESSMENT) == [
            'from: "24:00" is not a time of the day; write HH:MM, such as 09:00',
            'to: "09:02" is not on a step of 5 minutes',
        ]

    def test_the_defaults_of_the_assessment_are_what_counters_take_for_granted(self) -> None:
        assert assessment.of(ASSESSMENT.default()) == assessment.DEFAULT

    def test_every_flag_can_be_left_out(self) -> None:
        every = list(conversation.FLAGS[1:])
        assert lines({"leave_out": every}, ASSESSMENT) == []
        assert assessment.of(ASSESSMENT.complete({"leave_out": every})).flags == (0,)

    def test_standards_are_those_of_the_catalogue(self) -> None:
        found = standards(STANDARDS.default())
        assert found.keys() == METRICS.keys()
        assert found["answer_rate"] == (100, 90, 70)
        assert found["first_reply"] == (30, 30, 60)
        assert found["consults"] == (None, None, None)

    @pytest.mark.parametrize(
        ("metric", "standard", "said"),
        [
            ("satisfaction", {"target": 101}, "satisfaction.target: 101 is not between 0 and 100 %"),
            ("satisfaction", {"warn": 80, "alarm": 90},
             "satisfaction.alarm: 90 is above the warning 80; higher is better here, so the alarm is the lower"),
            ("first_reply", {"warn": 60, "alarm": 30}, "first_reply.alarm: 30 is below the warning 60; the alarm is the higher"),
            ("saturation", {"warn": 90.5, "alarm": 80}, "saturation.alarm: 80 is below the warning 90.5; the alarm is the higher"),
            ("first_reply", {"traget": 30}, "first_reply.traget: is not known; did you mean target?"),
        ],
    )  # fmt: skip
    def test_what_no_standard_can_be(self, metric: str, standard: Body, said: str) -> None:
        assert lines({metric: standard}, STANDARDS) == [said]

    @pytest.mark.parametrize("standard", [{"warn": None}, {"warn": 80, "alarm": 80}, {"target": None, "warn": None, "alarm": None}, {}])
    def test_what_a_standard_can_be(self, standard: Body) -> None:
        assert lines({"satisfaction": standard}, STANDARDS) == []

    def test_the_platform_lowers_what_it_has_floors_for(self) -> None:
        store, platform = STANDARDS.presets
        assert store.body == STANDARDS.default()
        changed = {change.path.split(".")[0] for change in STANDARDS.difference(store.body, platform.body)}
        assert changed == {"answer_rate", "satisfaction"}
        assert standards(platform.body)["satisfaction"] == (80, None, 80)

    def test_saved_documents_are_plain_json(self) -> None:
        for document in DOCUMENTS.values():
            assert json.loads(to_json(document.default())) == document.default()


def fallback(code: str = "rest", /, **fields: Any) -> Body:
    return group(code, type="fallback", **fields)


def groups(*held: Body, default: str | None = None, current: Body | None = None) -> list[str]:
    return lines({"groups": list(held), "default_group": default}, GROUPS, current)


class TestGroups:
    def test_as_in_the_contract(self) -> None:
        assert lines(FULL_GROUPS, GROUPS) == []
        held = GROUPS.complete({"groups": [group("a", members=[{"agent": "wang01"}])]})
        assert held == {
            "groups": [
                {"code": "a", "name": "Group a", "type": "ordinary", "open": True, "overflow": True, "prompt": "", "offline_prompt": "",
                 "scope": {"pages": [], "skus": [], "regions": [], "order_state": "any", "customer_tags": []},
                 "members": [{"agent": "wang01", "weight": 6}]}
            ],
            "default_group": None,
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("held", "said"),
        [
            ([group("a", members=members(11))], "groups[0].members[0].weight: 11 is not between 0 and 10"),
            ([group("a", members=members(2.5))], "groups[0].members[0].weight: 2.5 is not a whole number"),
            ([group("a", name="名" * 31)], "groups[0].name: has 31 characters, 30 are allowed"),
            ([group("a"), {"code": "a", "name": "x"}], 'groups[1].code: "a" is already in groups[0]'),
            ([group("a"), {"code": "b", "name": "Group a"}], 'groups[1].name: "Group a" is already in groups[0]'),
            ([group("a", members=[{"agent": "w"}, {"agent": "w"}])], 'groups[0].members[1].agent: "w" is already in groups[0].members[0]'),
            ([group("a", prompt="x" * 701)], "groups[0].prompt: has 701 characters, 700 are allowed"),
            ([fallback("a"), fallback("b")], "groups[1].type: Group a is the fallback group already; there can be only one"),
            ([fallback("a", open=False)], "groups[0].open: The entry of the fallback group cannot be closed"),
            ([fallback("a", scope={"pages": ["item"]})], "groups[0].scope: The fallback group takes everybody; leave its scope empty"),
            ([group("a"), fallback()], "groups[0].scope: With the fallback group Group rest present, give this group a scope"),
        ],
    )  # fmt: skip
    def test_what_no_groups_can_be(self, held: list[Body], said: str) -> None:
        assert groups(*held) == [said]

    def test_without_a_fallback_nobody_needs_a_scope(self) -> None:
        assert groups(group("a"), group("b")) == []

    def test_the_default_group_is_one_of_them(self) -> None:
        assert groups(group("a"), default="a") == []
        assert groups(group("a"), default="b") == ['default_group: There is no group "b"']
        assert groups(default="b") == ['default_group: There is no group "b"']

    def test_the_fallback_stays(self) -> None:
        current = GROUPS.complete({"groups": [fallback("f")]})
        told = "The fallback group Group f cannot be removed or made ordinary"
        assert groups(group("a", scope={"pages": ["item"]}), current=current) == [f"groups: {told}"]
        assert groups(group("f"), current=current) == [f"groups: {told}"]
        assert groups(fallback("other"), current=current) == [f"groups: {told}"]
        assert groups(fallback("f", name="Other name"), current=current) == []
        assert groups(fallback("f", open=False), current=current) == ["groups[0].open: The entry of the fallback group cannot be closed"]

    @pytest.mark.parametrize(
        ("one", "other", "said"),
        [
            ({"pages": ["item"]}, {"pages": ["shop", "item"]}, "pages: Item page"),
            ({"skus": ["1", "2"]}, {"skus": ["3", "2"]}, "skus[1]: 2"),
            ({"regions": ["上海"]}, {"regions": ["上海", "北京"]}, "regions: Shanghai"),
            ({"regions": ["港澳"]}, {"regions": ["香港"]}, "regions: Hong Kong"),
            ({"regions": ["澳门"]}, {"regions": ["港澳"]}, "regions: Hong Kong and Macau"),
            ({"customer_tags": ["PLUS"]}, {"customer_tags": ["PLUS"]}, "customer_tags[0]: PLUS"),
            ({"order_state": "placed"}, {"order_state": "placed"}, "order_state: Ordered already"),
            ({"pages": ["item"], "order_state": "none"},) * 2 + ("pages: Item page (Not ordered yet)",),
            ({"pages": ["item"], "regions": ["上海"]}, {"pages": ["item"], "regions": ["上海", "北京"]}, "pages: Item page (Shanghai)"),
        ],
    )
    def test_two_groups_for_the_same_customers(self, one: Body, other: Body, said: str) -> None:
        found = groups(group("a", scope=one), group("b", scope=other))
        assert found == [f"groups[1].scope.{said} already belongs to the group Group a; take it out of one of them"]

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ({"pages": ["item"]}, {"pages": ["item"], "regions": ["上海"]}),
            ({"pages": ["item"]}, {"skus": ["1"]}),
            ({"pages": ["item"], "regions": ["北京"]}, {"pages": ["item"], "regions": ["上海"]}),
            ({"pages": ["item"], "order_state": "none"}, {"pages": ["item"], "order_state": "placed"}),
            ({"customer_tags": ["PLUS"]}, {"customer_tags": ["complaint"]}),
            ({"skus": ["1"]}, {"skus": ["2"]}),
        ],
    )
    def test_two_groups_side_by_side(self, one: Body, other: Body) -> None:
        assert groups(group("a", scope=one), group("b", scope=other)) == []

    def test_thousands_of_items_are_compared_in_no_time(self) -> None:
        """Groups that share nothing are never looked at together."""
        many = [group(str(n), scope={"skus": [f"{n}-{sku}" for sku in range(400)]}) for n in range(200)]
        assert groups(*many) == []

    def test_regions(self) -> None:
        assert len(PROVINCES) == len(set(PROVINCES)) == 34
        assert groups(group("a", scope={"regions": list(REGIONS)})) == []
        assert groups(group("a", scope={"regions": ["上海市"]}))[0].startswith('groups[0].scope.regions[0]: "上海市" is not one of 北京, ')

    @pytest.mark.parametrize(
        ("text", "region"),
        [("广东", "广东"), ("广东省", "广东"), ("内蒙古自治区", "内蒙古"), ("香港特别行政区", "香港"), ("港澳", "港澳"), ("海外", "海外"),
         ("", "其他"), ("Atlantis", "其他")],
    )  # fmt: skip
    def test_what_a_source_calls_a_region(self, text: str, region: str) -> None:
        assert region_of(text) == region


class TestAgents:
    @pytest.mark.parametrize("capacity", [None, 0, 999])
    def test_capacities(self, capacity: int | None) -> None:
        assert lines({"agents": [{"agent": "a", "capacity": capacity}]}, AGENTS) == []

    @pytest.mark.parametrize(
        ("agents", "said"),
        [
            ([{"agent": "a", "capacity": 1000}], "agents[0].capacity: 1000 is not between 0 and 999"),
            ([{"agent": "a", "capacity": -1}], "agents[0].capacity: -1 is not between 0 and 999"),
            ([{"agent": "a"}, {"agent": "a"}], 'agents[1].agent: "a" is already in agents[0]'),
            ([{"name": "a"}], "agents[0].agent: is missing"),
            ([{"agent": "a", "receives": 1}], "agents[0].receives: 1 is not true or false"),
        ],
    )
    def test_what_no_agent_can_be(self, agents: list[Body], said: str) -> None:
        assert lines({"agents": agents}, AGENTS) == [said]

    def test_changes_are_told_by_name(self) -> None:
        (change,) = AGENTS.difference(FULL_AGENTS, {"agents": [{**FULL_AGENTS["agents"][0], "capacity": None}, FULL_AGENTS["agents"][1]]})
        assert str(change.label) == "Agents › 王小 › Capacity"
        assert (str(change.before), str(change.after)) == ("8", "unlimited")


def test_agents_are_called_by_their_names_where_these_are_known_and_members_with_their_weights() -> None:
    before = GROUPS.complete({"groups": [{"code": "pre", "name": "售前", "members": [{"agent": "a1"}]}]})
    members = [{"agent": "a1", "weight": 9}]
    after = GROUPS.complete(
        {"groups": [{"code": "pre", "name": "售前", "members": members}, {"code": "new", "name": "夜班", "members": members}]}
    )
    with calling({"a1": "王敏"}):
        weight, new = GROUPS.difference(before, after)
        (added,) = AGENTS.difference(AGENTS.default(), AGENTS.complete({"agents": [{"agent": "a1", "capacity": 3}]}))
    assert weight.label.zh == "咨询组 › 售前 › 成员 › 王敏 › 分配权重值"
    assert new.after.zh.endswith("成员 王敏 9")
    assert added.label.zh == "客服 › 王敏"
    assert GROUPS.difference(before, after)[0].label.zh == "咨询组 › 售前 › 成员 › a1 › 分配权重值"
