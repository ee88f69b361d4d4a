"""The policies are XML, their C# parses, and it uses only what API Management allows."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest
from tree_sitter import Node

from tests.gateway.allowed import ALLOWED_TYPES, CONTEXT_MEMBERS, FULL_NAMES, REFERENCE
from tests.gateway.calls import NAMED
from tests.gateway.csharp import Expression, expression, expressions, named_nodes
from tests.gateway.dotnet import MEMBERS, STATIC_MEMBERS, Members
from tests.gateway.policies import FOLDER, SECTIONS, named_values, policy

DOCUMENTS = sorted(str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.rglob("*.xml"))
FRAGMENTS = [name for name in DOCUMENTS if name.startswith("fragments/")]
CODE = [
    pytest.param(found, id=f"{document} {number} {tag}")
    for document in DOCUMENTS
    for number, (tag, found) in enumerate(expressions(policy(document)))
]


def text(node: Node) -> str:
    return re.sub(r"\s+", " ", (node.text or b"").decode())


def nodes(found: Expression, kind: str) -> Iterator[Node]:
    return (node for node in named_nodes(found.body) if node.type == kind)


def part(node: Node, name: str) -> Node:
    found = node.child_by_field_name(name)
    assert found is not None
    return found


def full_name(name: str) -> str:
    return FULL_NAMES.get(name.removesuffix("[]").removesuffix("[0]"), name)


def is_type(name: str) -> bool:
    return name in FULL_NAMES or name.startswith(("System.", "Newtonsoft."))


def static_uses(found: Expression) -> Iterator[tuple[str, str]]:
    """Yield type and member of `Type.Member`; a name with its namespace is neither."""
    for node in nodes(found, "member_access_expression"):
        qualified = any(f"{name}.".startswith(f"{text(node)}.") for name in ALLOWED_TYPES)
        if is_type(text(part(node, "expression"))) and not qualified:
            yield full_name(text(part(node, "expression"))), text(part(node, "name"))


def types_named(found: Expression) -> set[str]:
    fields = {
        "object_creation_expression": "type",
        "cast_expression": "type",
        "array_creation_expression": "type",
        "variable_declaration": "type",
        "foreach_statement": "type",
    }
    named = {text(part(node, fields[node.type])) for node in named_nodes(found.body) if node.type in fields}
    named |= {text(node)[1:-1] for node in nodes(found, "type_argument_list")}
    return {full_name(name) for name in named - {"var"}} | {name for name, _ in static_uses(found)}


def test_the_files_that_the_templates_name_are_there() -> None:
    assert {"api", "audit-api", *(f"fragments/capture-{part}" for part in ("request", "response", "error"))} <= set(
        DOCUMENTS
    )


def test_the_templates_hand_the_policies_over_as_xml() -> None:
    """As `rawxml`, the gateway would take an escaped `<` or `&` in an expression for C#."""
    pattern = re.compile(r"format: '(\w+)'\s+value: loadTextContent\('\.\./policies/([\w/-]+)\.xml'\)")
    told = [found for module in FOLDER.parent.rglob("*.bicep") for found in pattern.findall(module.read_text("utf-8"))]

    assert [name for form, name in told if form != "xml"] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_policy_is_well_formed_as_it_stands(name: str) -> None:
    root = fromstring((FOLDER / f"{name}.xml").read_text(encoding="utf-8"))  # noqa: S314 - our own file

    assert root.tag == ("fragment" if name in FRAGMENTS else "policies")


def test_policies_have_expressions_to_check() -> None:
    assert len(CODE) > 60


@pytest.mark.parametrize("found", CODE)
def test_every_expression_is_csharp(found: Expression) -> None:
    assert found.errors == ()


@pytest.mark.parametrize(
    "broken", ["@(1 +)", '@{ return "a; }', "@{ if (true) { return 1; }", "@(context.Request.Body.As<byte[]>("]
)
def test_what_is_no_csharp_is_seen(broken: str) -> None:
    found = expression(broken)

    assert found is None or found.errors


@pytest.mark.parametrize("found", CODE)
def test_every_expression_uses_types_that_policies_may_use(found: Expression) -> None:
    strange = {name for name in types_named(found) if name not in ALLOWED_TYPES and name not in CONTEXT_MEMBERS}

    assert strange == set()


@pytest.mark.parametrize(
    "forbidden",
    [
        "@(new System.Text.UTF8Encoding(false, true))",
        '@(System.IO.File.ReadAllText("x"))',
        "@{ System.Threading.Thread.Sleep(1); return 1; }",
        "@((Stream)context.Request.Body)",
        "@(context.Request.Body.As<Stream>())",
        "@{ Func<int> one = null; return 1; }",
    ],
)
def test_a_type_that_policies_may_not_use_is_seen(forbidden: str) -> None:
    found = expression(forbidden)

    assert found is not None
    assert found.errors == ()
    assert any(name not in ALLOWED_TYPES and name not in CONTEXT_MEMBERS for name in types_named(found))


def members_not_allowed(found: Expression) -> list[tuple[str, str]]:
    return [
        (name, member)
        for name, member in static_uses(found)
        if ALLOWED_TYPES.get(name) is not None and member not in (ALLOWED_TYPES[name] or ())
    ]


@pytest.mark.parametrize("found", CODE)
def test_every_static_member_is_allowed(found: Expression) -> None:
    assert members_not_allowed(found) == []


@pytest.mark.parametrize(
    "forbidden",
    [
        "@(System.Net.IPAddress.Loopback.ToString())",
        "@(Regex.Escape(context.Api.Id))",
        '@(JsonConvert.PopulateObject("{}", context.Api))',
        "@(DateTime.UnixEpoch)",
    ],
)
def test_a_member_that_policies_may_not_use_is_seen(forbidden: str) -> None:
    found = expression(forbidden)

    assert found is not None
    assert members_not_allowed(found) != []


@pytest.mark.parametrize("known", MEMBERS.values(), ids=lambda known: known.name)
def test_the_simulated_types_have_only_members_that_are_allowed(known: Members) -> None:
    """The evaluator finds members here and nowhere else, by the type of the value at hand."""
    names = {*known.properties, *known.methods}

    for one in known.name.split(", "):
        allowed = ALLOWED_TYPES.get(one, CONTEXT_MEMBERS.get(one, frozenset()))
        assert allowed is None or names <= allowed


@pytest.mark.parametrize("known", STATIC_MEMBERS)
def test_the_simulated_static_types_are_allowed(known: str) -> None:
    name = full_name(known.removesuffix(".UTF8"))

    assert name in ALLOWED_TYPES
    assert ALLOWED_TYPES[name] is None or set(STATIC_MEMBERS[known]) <= (ALLOWED_TYPES[name] or set())


@pytest.mark.parametrize("found", CODE)
def test_no_expression_holds_a_line_comment(found: Expression) -> None:
    """An attribute's line ends become spaces: a comment would swallow the rest."""
    assert list(nodes(found, "comment")) == []


# Structure


def sections(root: Element) -> Iterator[tuple[str, Element]]:
    for section in root:
        for element in section.iter():
            if element.tag in SECTIONS:
                yield section.tag, element


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name not in FRAGMENTS])
def test_every_policy_stands_in_a_section_that_takes_it(name: str) -> None:
    told = dict.fromkeys(section.tag for section in policy(name))

    assert list(told) == ["inbound", "backend", "outbound", "on-error"]
    for section, element in sections(policy(name)):
        assert section in SECTIONS[element.tag], element.tag


def strange_in(element: Element) -> set[str]:
    """Return what the reference of a policy does not know, or misses."""
    reference = REFERENCE[element.tag]
    required = set(reference.required.split())
    told = set(element.attrib)
    strange = (told - required - set(reference.optional.split())) | (required - told)
    if element.tag != "retry":
        inside, order = [child.tag for child in element], reference.elements.split()
        strange |= set(inside) - set(order)
        strange |= {"order"} if inside != sorted(inside, key=[*order, *inside].index) else set()
    if element.tag == "validate-azure-ad-token" and element.find("audiences") is None:
        strange |= {"client-application-ids"} if element.find("client-application-ids") is None else set()
    return strange


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_policy_is_written_as_the_reference_says(name: str) -> None:
    found = [(element.tag, strange_in(element)) for element in policy(name).iter() if element.tag in SECTIONS]

    assert [(tag, strange) for tag, strange in found if strange] == []


@pytest.mark.parametrize(
    ("wrong", "strange"),
    [
        ('<retry condition="@(true)" count="1" />', {"interval"}),
        ('<set-variable name="a" value="b" kind="c" />', {"kind"}),
        ('<check-header name="a" failed-check-httpcode="400" ignore-case="true" />', {"failed-check-error-message"}),
        ('<validate-azure-ad-token tenant-id="t" />', {"client-application-ids"}),
        (
            '<validate-azure-ad-token tenant-id="t"><required-claims /><audiences /></validate-azure-ad-token>',
            {"order"},
        ),
    ],
)
def test_a_policy_that_is_written_in_another_way_is_seen(wrong: str, strange: set[str]) -> None:
    assert strange_in(fromstring(wrong)) == strange  # noqa: S314 - our own text


def test_the_reference_has_each_policy_that_the_simulator_runs_and_no_other() -> None:
    assert set(REFERENCE) == set(SECTIONS)


@pytest.mark.parametrize("name", FRAGMENTS)
def test_a_fragment_holds_no_fragment_and_no_base(name: str) -> None:
    tags = {element.tag for element in policy(name).iter()}

    assert not tags & {"include-fragment", "base", "inbound", "outbound", "backend", "on-error"}
    assert len((FOLDER / f"{name}.xml").read_bytes()) < 512 * 1024


def test_every_fragment_is_included_where_it_belongs() -> None:
    found = {
        section.tag: [one.attrib["fragment-id"] for one in section.iter("include-fragment")]
        for section in policy("api")
    }

    assert found == {
        "inbound": ["query-keys", "budget-request", "capture-request", "ownership-request"],
        "backend": [],
        "outbound": ["capture-response", "ownership-response"],
        "on-error": ["capture-error"],
    }


def test_other_vendors_apis_include_the_fragments_of_capture_where_they_belong() -> None:
    sections = {
        section.tag: [one.attrib["fragment-id"] for one in section.iter("include-fragment")]
        for section in policy("vendor-api")
    }

    assert sections == {
        "inbound": ["query-keys", "budget-request", "capture-request"],
        "backend": [],
        "outbound": ["capture-response"],
        "on-error": ["capture-error"],
    }


def test_the_policies_use_these_named_values() -> None:
    used = {name for document in DOCUMENTS for name in named_values(policy(document))}

    assert used == set(NAMED)


def test_nothing_is_set_to_an_empty_literal() -> None:
    empty = [
        (document, element.attrib)
        for document in DOCUMENTS
        for element in policy(document).iter()
        for value in element.attrib.values()
        if not value.strip()
    ]

    assert empty == []


# The page


def rows(heading: str) -> dict[str, str]:
    """Return the table under a heading of docs/capture.md: name in backquotes -> second cell."""
    page = (FOLDER.parents[1] / "docs" / "capture.md").read_text(encoding="utf-8")
    section = page.split(f"## {heading}\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `([\w-]+)` \| ([^|]+) \|", section, re.MULTILINE))


def test_the_page_has_every_named_value() -> None:
    assert set(rows("Named values")) == set(NAMED)


def test_the_numbers_stand_once_and_the_page_has_them() -> None:
    numbers = {
        element.attrib["name"]: element.attrib["value"].removeprefix("@(").removesuffix(")")
        for document in DOCUMENTS
        for element in policy(document).iter("set-variable")
        if re.fullmatch(r"@\(\d{1,}\)", element.attrib["value"]) and not element.attrib["name"].endswith("-index")
    }

    assert len(numbers) == 4
    assert {name: value for name, value in rows("Bodies").items() if name.startswith("capture-")} == numbers
    for document in DOCUMENTS:
        text = (FOLDER / f"{document}.xml").read_text(encoding="utf-8")
        assert text.count("200000") + text.count("160000") == (2 if document == "fragments/capture-request" else 0)


# What stands twice, because fragments cannot include fragments


def source(name: str) -> str:
    return Path(FOLDER / "fragments" / f"{name}.xml").read_text(encoding="utf-8")


def test_the_request_and_the_response_are_sent_by_the_same_text() -> None:
    marker = "    <!-- From here on as in "
    request, response = (source(name).split(marker)[1] for name in ("capture-request", "capture-response"))

    assert request.partition(". ")[2] == response.partition(". ")[2]


def test_an_error_tells_of_the_request_by_the_same_text() -> None:
    texts = [
        [
            element.attrib["value"].split()
            for element in policy(name).iter("set-variable")
            if element.attrib["name"] == "capture-asked"
        ]
        for name in ("fragments/capture-request", "fragments/capture-error")
    ]

    assert len(texts[0]) == 1
    assert texts[0] == texts[1]
