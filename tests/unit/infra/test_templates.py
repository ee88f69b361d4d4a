"""The templates are Bicep, and hang together: what the compiler would say of names, parameters and modules."""

import json
import re
from pathlib import Path

import pytest

from tests.unit.infra.templates import (
    INFRA,
    Declaration,
    Node,
    Template,
    faults,
    parameter_values,
    parse,
    properties,
    template,
    templates,
    text_of,
    used_names,
    walk,
)

ALL = templates()
MAIN = template(INFRA / "main.bicep")
PARAMETER_FILES = sorted(INFRA.rglob("*.bicepparam"))
NAMESPACES = {"az", "sys"}
by_name = pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
by_file = pytest.mark.parametrize("path", PARAMETER_FILES, ids=lambda path: path.name)


def parameters(one: Template) -> dict[str, Declaration]:
    return {declared.name: declared for declared in one.all("param")}


def referred(one: Template) -> set[str]:
    """Return every name that a declaration's text refers to, outputs and decorators among them."""
    names: set[str] = set()
    for declared in one.declarations:
        expressions = declared.node.named_children[1:]
        names |= {name for expression in expressions if expression.type != "type" for name in used_names(expression)}
    return names


@by_name
def test_a_template_is_bicep(one: Template) -> None:
    assert faults(one.root) == []


@pytest.mark.parametrize(
    "source", ["param x string =\n", "resource a 'b@1' = {\n  name 'x'\n}\n", "var x = [for i in y {\n  a: i\n}]\n"]
)
def test_what_is_no_bicep_is_found(source: str) -> None:
    assert faults(parse(source)) != []


@by_file
def test_a_file_of_parameters_is_bicep(path: Path) -> None:
    root, assigned = parameter_values(path)

    assert assigned
    assert faults(root) == []


@by_name
def test_a_template_names_nothing_twice(one: Template) -> None:
    names = [declared.name for declared in one.declarations if declared.kind != "output"]

    assert sorted(names) == sorted(set(names))


@by_name
def test_a_template_refers_to_nothing_that_it_does_not_declare(one: Template) -> None:
    declared = {one.name for one in one.declarations if one.kind != "output"}

    assert referred(one) - declared - NAMESPACES == set()


@by_name
def test_a_template_declares_no_parameter_variable_or_reference_that_it_does_not_use(one: Template) -> None:
    needed = {
        declared.name
        for declared in one.declarations
        if declared.kind in ("param", "var") or (declared.kind == "resource" and declared.existing)
    }

    assert needed - referred(one) == set()


@by_name
def test_every_parameter_and_output_is_described(one: Template) -> None:
    described = [declared for declared in one.declarations if declared.kind in ("param", "output")]

    assert [
        declared.name for declared in described if len(declared.decorators.get("description", "").split()) < 2
    ] == []


@by_name
def test_every_module_that_a_template_names_exists_here(one: Template) -> None:
    paths = [declared.quoted for declared in one.all("module")]

    assert [path for path in paths if re.match(r"(br|ts)[/:]", path)] == [], "must build without a registry"
    assert [path for path in paths if not (one.path.parent / path).is_file()] == []


def module_calls() -> list[tuple[str, Template, Declaration]]:
    return [(f"{one.name}:{call.name}", one, call) for one in ALL for call in one.all("module")]


@pytest.mark.parametrize(
    ("one", "call"), [case[1:] for case in module_calls()], ids=[case[0] for case in module_calls()]
)
def test_a_module_gets_all_parameters_that_it_needs_and_no_other(one: Template, call: Declaration) -> None:
    taken = parameters(one.module_of(call))
    given = set(properties(call.body["params"]))

    assert given - set(taken) == set()
    assert {name for name, declared in taken.items() if declared.value is None} - given == set()


@pytest.mark.parametrize(
    ("one", "call"), [case[1:] for case in module_calls()], ids=[case[0] for case in module_calls()]
)
def test_a_parameter_that_is_handed_on_keeps_its_type_and_what_is_allowed(one: Template, call: Declaration) -> None:
    taken, own = parameters(one.module_of(call)), parameters(one)

    for name, value in properties(call.body["params"]).items():
        passed = own.get(text_of(value)) if value.type == "identifier" else None
        if passed is not None:
            assert passed.type == taken[name].type, name
            assert allowed(passed) == allowed(taken[name]), name


LITERALS = {
    "array": "array",
    "boolean": "bool",
    "for_statement": "array",
    "number": "int",
    "object": "object",
    "string": "string",
}


def type_of(one: Template, value: Node) -> str | None:
    """Return the type of a literal or of a module's output; None where it takes a compiler to tell."""
    output = re.fullmatch(r"(\w+)(?:\[\w+\])?!?\.outputs\.(\w+)", text_of(value))
    if output and value.type == "member_expression":
        call = next(found for found in one.all("module") if found.name == output[1])
        return next(found.type for found in one.module_of(call).all("output") if found.name == output[2])
    if value.type == "ternary_expression":
        kinds = {kind for branch in value.named_children[1:] if (kind := type_of(one, branch))}
        return kinds.pop() if len(kinds) == 1 else None
    return LITERALS.get(value.type)


@pytest.mark.parametrize(
    ("one", "call"), [case[1:] for case in module_calls()], ids=[case[0] for case in module_calls()]
)
def test_a_module_gets_values_of_the_types_that_it_takes(one: Template, call: Declaration) -> None:
    taken = parameters(one.module_of(call))
    wrong = {
        name: found
        for name, value in properties(call.body["params"]).items()
        if (found := type_of(one, value)) is not None and found != taken[name].type
    }

    assert wrong == {}


def test_the_type_of_a_value_is_told() -> None:
    calls = {call.name: call for call in MAIN.all("module")}
    values = properties(calls["functionApp"].body["params"])

    assert type_of(MAIN, values["appSettings"]) == "object"
    assert type_of(MAIN, values["identityId"]) == "string"
    assert type_of(MAIN, values["hostStorageName"]) == "string"
    assert type_of(MAIN, properties(calls["apiManagementBackends"].body["params"])["instances"]) == "array"


@by_name
def test_a_default_has_its_parameter_s_type_and_is_allowed(one: Template) -> None:
    for declared in one.all("param"):
        if declared.value is not None and (found := type_of(one, declared.value)) is not None:
            assert found == declared.type, declared.name
            if allowed(declared):
                values = declared.value.named_children if found == "array" else [declared.value]
                assert {text_of(value) for value in values} <= allowed(declared), declared.name


def allowed(declared: Declaration) -> set[str]:
    """Return what a parameter may be, as text; nothing when anything may be."""
    return set(re.findall(r"[^\s\[\]',]+", declared.decorators.get("allowed", "")))


@by_name
def test_a_template_asks_a_module_for_outputs_that_it_has(one: Template) -> None:
    calls = {call.name: call for call in one.all("module")}
    asked = re.findall(r"\b(\w+)(?:\[\w+\])?!?\.outputs\.(\w+)", one.path.read_text(encoding="utf-8"))

    for name, output in asked:
        outputs = {declared.name for declared in one.module_of(calls[name]).all("output")}
        assert output in outputs, f"{name}.outputs.{output}"


@by_name
def test_every_file_that_a_template_loads_exists(one: Template) -> None:
    loaded = re.findall(r"load(Text|Json)Content\('([^']+)'\)", one.path.read_text(encoding="utf-8"))

    for kind, path in loaded:
        content = (one.path.parent / path).read_text(encoding="utf-8")
        assert content.strip()
        if kind == "Json":
            json.loads(content)


@by_name
def test_a_conditional_module_or_resource_is_asked_only_where_it_may_be_absent_knowingly(one: Template) -> None:
    source = one.path.read_text(encoding="utf-8")
    conditional = [
        declared.name
        for declared in one.declarations
        if declared.kind in ("module", "resource") and declared.node.named_children[-1].type == "if_statement"
    ]

    # `!` is the author's word that the condition holds there: without it the compiler warns.
    assert [name for name in conditional if re.search(rf"\b{name}\.(outputs|properties)\b", source)] == []


@by_name
def test_a_resource_has_a_stable_version_unless_there_is_none(one: Template) -> None:
    only_preview = {
        "Microsoft.ApiManagement/service/apis/diagnostics": "model messages in Azure Monitor's log",
        "Microsoft.Insights/diagnosticSettings": "no stable version takes category groups",
        "Microsoft.Insights/privateLinkScopes": "no stable version was ever made",
        "Microsoft.Insights/privateLinkScopes/scopedResources": "no stable version was ever made",
    }
    versions = {declared.type: declared.quoted.partition("@")[2] for declared in one.all("resource")}

    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d(-preview)?", version) for version in versions.values())
    assert {name for name, version in versions.items() if version.endswith("preview")} <= set(only_preview)


def test_one_type_has_one_version_everywhere() -> None:
    versions: dict[str, set[str]] = {}
    for one in ALL:
        for declared in one.all("resource"):
            versions.setdefault(declared.type, set()).add(declared.quoted.partition("@")[2])

    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


@by_name
def test_loops_stand_only_where_the_compiler_takes_them(one: Template) -> None:
    # As the value of a declaration or a property; never inside a call, a condition or another array.
    misplaced = [
        text_of(node)[:60]
        for node in walk(one.root)
        if node.type == "for_statement"
        and node.parent is not None
        and node.parent.type in ("arguments", "ternary_expression", "array", "parenthesized_expression")
    ]

    assert misplaced == []


@by_name
def test_no_loop_of_a_property_stands_inside_another(one: Template) -> None:
    # The compiler refuses it: a variable has to hold the inner one.
    def inside(node: Node) -> bool:
        outer = node.parent
        while outer is not None:
            if outer.type == "for_statement" and outer.parent is not None and outer.parent.type == "object_property":
                return True
            outer = outer.parent
        return False

    loops = [node for node in walk(one.root) if node.type == "for_statement"]

    assert [text_of(node)[:60] for node in loops if inside(node)] == []


# Files of parameters


@by_file
def test_a_file_of_parameters_is_for_the_main_template(path: Path) -> None:
    used = re.findall(r"^using '([^']+)'$", path.read_text(encoding="utf-8"), re.MULTILINE)

    assert [(path.parent / one).resolve() for one in used] == [MAIN.path]


@by_file
def test_a_file_of_parameters_gives_all_that_is_needed_and_nothing_unknown(path: Path) -> None:
    _, assigned = parameter_values(path)
    taken = parameters(MAIN)

    assert set(assigned) - set(taken) == set()
    assert {name for name, declared in taken.items() if declared.value is None} - set(assigned) == set()


@by_file
def test_a_file_of_parameters_gives_values_that_are_allowed(path: Path) -> None:
    _, assigned = parameter_values(path)
    literal = {"string": "string", "number": "int", "boolean": "bool", "array": "array", "object": "object"}

    for name, value in assigned.items():
        declared = parameters(MAIN)[name]
        choices = allowed(declared)
        if value.type in literal:
            assert literal[value.type] == declared.type, name
        if choices and value.type in ("string", "number"):
            assert text_of(value) in choices, name


@by_file
@pytest.mark.parametrize("variable", ["ALERT_MAIL_ADDRESSES", "SQL_ADMINISTRATORS_OBJECT_ID"])
def test_a_file_of_parameters_that_lacks_what_nobody_can_guess_stops_at_once(path: Path, variable: str) -> None:
    # The compiler refuses a variable without value and default. A default fails an hour later, or reaches nobody.
    assert f"readEnvironmentVariable('{variable}')" in path.read_text(encoding="utf-8")


@by_file
def test_whether_it_is_the_first_deployment_is_said_wherever_the_platform_asks(path: Path) -> None:
    source = path.read_text(encoding="utf-8")

    asks = "param apiManagementSku = 'StandardV2'" in source
    assert asks == ("bool(readEnvironmentVariable('FIRST_DEPLOYMENT'))" in source)


def test_there_is_a_profile_beside_a_gateway_and_one_for_each_size_of_traffic_with_one() -> None:
    assert [path.stem for path in PARAMETER_FILES] == ["beside", "large", "medium", "small"]


def imports(one: Template) -> list[str]:
    return re.findall(r"^import \{ [\w, ]+ \} from '([^']+)'$", one.path.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_template_is_used() -> None:
    used = {one.module_of(call).path for one in ALL for call in one.all("module")}
    used |= {(one.path.parent / path).resolve() for one in ALL for path in imports(one)}

    assert {one.path for one in ALL} - used == {MAIN.path}


def test_a_hybrid_gateway_whose_size_nobody_says_gets_one_of_its_kind() -> None:
    module = template(INFRA / "modules" / "hybrid-gateway.bicep")
    size = {one.name: text_of(one.value) for one in module.all("var") if one.value is not None}
    default = next(one.value for one in MAIN.all("param") if one.name == "hybridGatewaySku")

    assert default is not None
    assert text_of(default) == ""
    assert size["leastOfKind"] == "gatewayType == 'Vpn' ? 'VpnGw1AZ' : 'ErGw1AZ'"
    assert size["size"] == "empty(skuName) ? leastOfKind : skuName"
