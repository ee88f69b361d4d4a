"""Capture goes into policies of other people's making, and comes out again without leaving a trace."""

import ast
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.scripts.gateway_capture.document import Element, read_policy
from infra.scripts.gateway_capture.edits import BLANK, MARK, Marks, marks_of
from infra.scripts.gateway_capture.errors import CaptureError, NotUnderstoodError, RefusedError
from infra.scripts.gateway_capture.policy import attach, detach
from infra.scripts.gateway_capture.surroundings import Surroundings
from tests.builders.foreign_policies import ACCEPTED, REFUSED, Foreign, a_policy

NAMES = ("capture-request", "capture-response", "capture-error")


def attached(foreign: Foreign) -> str:
    return attach(foreign.text, foreign.around, Marks()).after


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_is_taken_out_again_leaves_the_very_bytes_that_were_there(name: str) -> None:
    assert detach(attached(ACCEPTED[name])) == ACCEPTED[name].text


@pytest.mark.parametrize("name", ACCEPTED)
def test_each_fragment_is_included_once_in_its_section(name: str) -> None:
    root = read_policy(attached(ACCEPTED[name]))

    found = [
        (section.name, one.value("fragment-id"))
        for section in root.children
        for one in section.iter()
        if one.name == "include-fragment" and one.value("fragment-id") in NAMES
    ]

    assert found == [("inbound", "capture-request"), ("outbound", "capture-response"), ("on-error", "capture-error")]


@pytest.mark.parametrize("name", ACCEPTED)
def test_capture_stands_after_whatever_asks_who_calls_and_at_once(name: str) -> None:
    text = attached(ACCEPTED[name])
    inbound = read_policy(text).child("inbound")
    assert inbound is not None

    before = text[inbound.open_end : text.index(f'<set-variable name="{MARK}"')].strip()

    assert before.endswith(ACCEPTED[name].after)
    assert bool(before) == bool(ACCEPTED[name].after)


@pytest.mark.parametrize("name", ACCEPTED)
@pytest.mark.parametrize("section", ["outbound", "on-error"])
def test_of_answers_and_errors_capture_comes_first(name: str, section: str) -> None:
    found = read_policy(attached(ACCEPTED[name])).child(section)

    assert found is not None
    assert found.children[0].value("name") == MARK


@pytest.mark.parametrize("name", ACCEPTED)
def test_capture_is_told_which_variable_has_the_token(name: str) -> None:
    root = read_policy(attached(ACCEPTED[name]))

    told = [one.value("value") for one in root.iter() if one.value("name") == "capture-token-variable"]

    assert told == [ACCEPTED[name].variable] * bool(ACCEPTED[name].variable)


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_people_should_know_is_told(name: str) -> None:
    notes = "\n".join(attach(ACCEPTED[name].text, ACCEPTED[name].around, Marks()).notes)

    assert ACCEPTED[name].note in notes
    assert bool(ACCEPTED[name].note) == bool(notes)


@pytest.mark.parametrize("name", ACCEPTED)
def test_attached_again_nothing_changes(name: str) -> None:
    once = attached(ACCEPTED[name])

    again = attach(once, ACCEPTED[name].around, Marks(diagnostic="made"))

    assert again.after == once


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_understood_is_refused_with_its_reason(name: str) -> None:
    foreign = REFUSED[name]

    with pytest.raises(CaptureError, match=foreign.reason):
        attach(foreign.text, foreign.around, Marks())


def test_there_are_twenty_kinds_and_more_of_each() -> None:
    assert len(ACCEPTED) >= 20
    assert len(REFUSED) >= 20


def test_what_the_marks_remember_is_read_again() -> None:
    text = attach(None, Surroundings(), Marks(diagnostic="extended")).after

    assert marks_of(text) == Marks(policy="made", diagnostic="extended")


def test_a_policy_that_captures_by_hand_is_left_alone() -> None:
    by_hand = a_policy(
        '<base /><include-fragment fragment-id="capture-request" />',
        outbound='<include-fragment fragment-id="capture-response" />',
        on_error='<include-fragment fragment-id="capture-error" />',
    )

    found = attach(by_hand, Surroundings(), Marks())

    assert (found.captures, found.after) == (False, by_hand)
    assert detach(by_hand) == by_hand


# After somebody else had a hand in it


def test_what_others_added_since_stays_when_capture_is_taken_out() -> None:
    text = attached(ACCEPTED["empty sections that close themselves"])
    changed = text.replace("<inbound>", "<inbound><base />").replace("</on-error>", "<base /></on-error>")

    assert detach(changed) == (
        "<policies>\n    <inbound><base /></inbound>\n    <backend>\n        <base />\n    </backend>\n"
        "    <outbound/>\n"
        "    <on-error><base /></on-error>\n</policies>\n"
    )


def test_a_comment_in_a_section_that_capture_made_keeps_the_section() -> None:
    text = attached(ACCEPTED["inbound alone"])

    changed = text.replace("</on-error>", "<!-- ours --></on-error>")

    assert detach(changed) == "<policies><inbound><base /></inbound><on-error><!-- ours --></on-error></policies>"


def test_a_policy_that_attach_made_and_others_filled_stays() -> None:
    text = attached(Foreign(None)).replace("<base />\n    </inbound>", '<rewrite-uri template="/" />\n    </inbound>')

    assert detach(text) == BLANK.replace("<base />", '<rewrite-uri template="/" />', 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('fragment-id="capture-request"', 'fragment-id="capture-requests"'),
        ('ContainsKey("capture-asked")', 'ContainsKey("asked")'),
        ('<include-fragment fragment-id="capture-error" />', ""),
        (
            '<include-fragment fragment-id="capture-error" />',
            '<!-- mine --><include-fragment fragment-id="capture-error" />',
        ),
        (
            '<include-fragment fragment-id="capture-request" />',
            '<base /><include-fragment fragment-id="capture-request" />',
        ),
    ],
)
def test_what_somebody_changed_within_is_not_taken_out_blindly(old: str, new: str) -> None:
    text = attached(Foreign(a_policy())).replace(old, new)

    with pytest.raises(RefusedError, match="was changed: take it out by hand"):
        detach(text)


def test_capture_that_was_taken_out_in_part_is_told() -> None:
    text = re.sub(rf'<set-variable name="{MARK}" value="section=kept" />', "", attached(Foreign(a_policy())))

    with pytest.raises(RefusedError, match="capture stands in inbound alone"):
        detach(text)


@pytest.mark.parametrize("name", ACCEPTED)
def test_quotes_and_line_ends_that_api_management_writes_anew_hide_nothing(name: str) -> None:
    text = attached(ACCEPTED[name]).replace("\r\n", "\n")

    condition = '@(context.Variables.ContainsKey("capture-asked"))'
    rewritten = text.replace("\n", "\r\n").replace(f'"{condition}"', f"'{condition}'")

    before = ACCEPTED[name].text
    assert detach(rewritten) == (None if before is None else before.replace("\r\n", "\n").replace("\n", "\r\n"))


def indented(text: str) -> str:
    """Return a policy as API Management writes it anew: blanks and line ends of its own, and no comments."""

    def lines(element: Element, depth: int) -> list[str]:
        attributes = "".join(f' {name}="{one.value}"' for name, one in element.attributes.items())
        content = re.sub("<!--.*?-->", "", text[element.open_end : element.close_start], flags=re.DOTALL).strip()
        start, blanks = f"<{element.name}{attributes}", "  " * depth
        if not element.children and not content:
            return [f"{blanks}{start} />"]
        if not element.children:
            return [f"{blanks}{start}>{content}</{element.name}>"]
        inner = [line for child in element.children for line in lines(child, depth + 1)]
        return [f"{blanks}{start}>", *inner, f"{blanks}</{element.name}>"]

    return "\r\n".join(lines(read_policy(text), 0))


@pytest.mark.parametrize("name", [name for name, one in ACCEPTED.items() if one.text])
def test_a_policy_that_api_management_indents_anew_comes_back_as_it_had_it(name: str) -> None:
    before = indented(ACCEPTED[name].text or "")

    after = attach(before, ACCEPTED[name].around, Marks()).after

    assert detach(after) == before
    assert detach(indented(after)) == before


# Any policy


_NAMES = st.sampled_from(["base", "set-header", "rate-limit", "trace", "x:y"])
_CODE = st.sampled_from(
    ["plain", '@("<a>" + \'"\')', '@{ return $"{x["("]}"; }', "{{named}}", '@(a < b && c["]"] > 1)', "&lt;"]
)
_BLANKS = st.sampled_from(["", " ", "\n", "\r\n\t", "\n\n        "])
_COMMENTS = st.sampled_from(["", "<!-- <inbound> -->", "<!--@(-->"])


@st.composite
def _elements(draw: st.DrawFn, depth: int = 2) -> str:
    name, attribute = draw(_NAMES), draw(_CODE)
    start = f'<{name}{draw(_BLANKS) or " "}value="{attribute}"'
    if name == "base" or draw(st.booleans()):
        return f"{start} />" if name != "base" else draw(st.sampled_from(["<base />", "<base/>"]))
    inner = "".join(draw(st.lists(_elements(depth - 1), max_size=2))) if depth else draw(_CODE)
    return f"{start}>{inner}</{name}>"


@st.composite
def _policies(draw: st.DrawFn) -> str:
    def content() -> str:
        parts = [draw(_BLANKS)]
        for _ in range(draw(st.integers(0, 3))):
            parts += [draw(_elements()), draw(_BLANKS), draw(_COMMENTS), draw(_BLANKS)]
        return "".join(parts)

    sections = [
        f"<{name}>{content()}</{name}>{draw(_BLANKS)}" for name in ("inbound", "backend", "outbound", "on-error")
    ]
    kept = [one for one in sections if draw(st.integers(0, 9))] or sections
    return f"{draw(_COMMENTS)}{draw(_BLANKS)}<policies>{draw(_BLANKS)}{''.join(kept)}</policies>{draw(_BLANKS)}"


@given(_policies())
def test_any_policy_that_is_attached_is_given_back_to_the_byte(text: str) -> None:
    found = attach(text, Surroundings(), Marks(diagnostic="made"))

    assert found.after != text
    assert detach(found.after) == text


@given(st.text(alphabet="<>/\"'@(){}$! -=abc\n", max_size=60))
def test_any_text_is_a_policy_or_is_told_with_its_place(content: str) -> None:
    try:
        read_policy(f"<policies><inbound>{content}</inbound></policies>")
    except NotUnderstoodError as error:
        assert re.match(r"line \d+, column \d+: ", str(error))


def test_nothing_but_python_s_own_library_is_imported() -> None:
    scripts = Path(__file__).parents[4] / "infra" / "scripts"
    files = [*(scripts / "gateway_capture").glob("*.py"), scripts / "attach", scripts / "detach"]
    nodes = [node for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]

    imported = {one.name.partition(".")[0] for node in nodes if isinstance(node, ast.Import) for one in node.names}
    imported |= {
        str(node.module).partition(".")[0] for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0
    }

    assert imported - sys.stdlib_module_names == set()


def test_no_module_is_longer_than_those_of_the_product() -> None:
    folder = Path(__file__).parents[4] / "infra" / "scripts" / "gateway_capture"

    assert [path.name for path in folder.glob("*.py") if len(path.read_text(encoding="utf-8").splitlines()) > 350] == []
