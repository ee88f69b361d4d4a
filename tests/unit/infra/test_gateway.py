"""Templates and policies of API Management speak of the same things."""

import json
import re
from xml.etree import ElementTree as ET

import pytest

from tests.unit.infra.templates import INFRA, dig, parameter_values, properties, template, text_of

POLICIES = sorted((INFRA / "policies").rglob("*.xml"))
MODULES = INFRA / "modules"


def names_of(module: str, kind: str) -> set[str]:
    """Return the literal names of a kind of resource in a module."""
    found = template(MODULES / module).all("resource")
    return {text_of(one.body["name"]) for one in found if one.type == f"Microsoft.ApiManagement/service/{kind}"}


def named_values() -> set[str]:
    (values,) = [one for one in template(MODULES / "apim-named-values.bicep").all("var") if one.name == "namedValues"]
    return set(re.findall(r"name: '([\w-]+)'", text_of(values.node)))


def in_policies(pattern: str) -> set[str]:
    return {found for path in POLICIES for found in re.findall(pattern, path.read_text(encoding="utf-8"))}


def test_every_value_that_a_policy_names_is_made() -> None:
    assert in_policies(r"\{\{([\w-]+)\}\}") - named_values() == set()


def test_every_fragment_that_a_policy_includes_is_made() -> None:
    made = names_of("apim-openai-api.bicep", "policyFragments")

    assert in_policies(r'<include-fragment fragment-id="([^"]+)"') - made == set()
    assert made == {path.stem for path in (INFRA / "policies" / "fragments").glob("*.xml")}


def test_every_backend_that_a_policy_names_is_made() -> None:
    named = in_policies(r'<set-backend-service[^>]* backend-id="([^"@]+)"')

    assert named
    assert named - names_of("apim-backends.bicep", "backends") == set()


VENDOR = template(MODULES / "apim-vendor-api.bicep")
VENDORS = ["anthropic", "bedrock", "gemini", "model-inference"]


def value_of(name: str) -> str:
    """Return what a variable of the module of other vendors' APIs is."""
    return next(text_of(one.value) for one in VENDOR.all("var") if one.name == name and one.value is not None)


def test_other_vendors_apis_are_off_unless_somebody_says_so() -> None:
    files = sorted(INFRA.rglob("*.bicepparam"))
    (default,) = [one.value for one in template(INFRA / "main.bicep").all("param") if one.name == "vendorApis"]

    assert default is not None
    assert text_of(default) == "[]"
    given = {path.name: parameter_values(path)[1].get("vendorApis", default) for path in files}
    assert {name for name, value in given.items() if text_of(value) != "[]"} == set()


def test_every_vendor_that_is_allowed_has_its_api_and_no_other() -> None:
    (vendor,) = [one for one in VENDOR.all("param") if one.name == "vendor"]
    (apis,) = [one.value for one in VENDOR.all("var") if one.name == "apis"]

    assert apis is not None
    assert re.findall(r"'([\w-]+)'", vendor.decorators["allowed"]) == VENDORS
    assert sorted(properties(apis)) == VENDORS
    for one in properties(apis).values():
        assert set(properties(one)) == {"displayName", "path", "header", "query"}


def test_every_vendor_s_api_takes_any_path_has_a_backend_of_its_name_and_the_policy_that_records() -> None:
    made = {one.name: one.body for one in VENDOR.all("resource")}
    policy, template = dig(made["apiPolicy"], "properties.value"), dig(made["operations"], "properties.urlTemplate")

    assert policy is not None
    assert template is not None
    assert text_of(policy) == "loadTextContent('../policies/vendor-api.xml')"
    assert text_of(template) == "/*"
    assert text_of(made["api"]["name"]) == text_of(made["backend"]["name"]) == "vendor"


def test_the_policy_signs_in_to_those_that_have_no_key() -> None:
    policy = (INFRA / "policies" / "vendor-api.xml").read_text(encoding="utf-8")
    (signed,) = re.findall(r"new \[\] \{([^}]*)\}\.Contains\(context\.Api\.Id\)", policy)
    keyed = set(re.findall(r"'(\w+)'", value_of("hasKey")))

    assert keyed == {"bedrock", "gemini"}
    assert set(re.findall(r'"([\w-]+)"', signed)) == set(VENDORS) - keyed


def test_a_vendor_s_key_stands_in_the_vault_alone() -> None:
    made = {one.name: one.body for one in VENDOR.all("resource")}
    named, secret = value_of("credentials"), dig(made["keyValue"], "properties.secret")

    assert secret is not None
    assert text_of(secret) == "true"
    assert set(properties(made["keyValue"]["properties"])) == {"displayName", "secret", "keyVault"}
    assert sorted(re.findall(r"\{\{([\w-]+)\}\}", named)) == ["bedrock-key", "gemini-key"]
    assert text_of(made["keyValue"]["name"]) == "${vendor}-key"
    assert text_of(made["readsKey"]["scope"]) == "key"


def test_policies_sign_in_with_the_identity_that_has_the_roles() -> None:
    # Without its client id the service would look for an identity of its own, which it does not have.
    calls = in_policies(r"<authentication-managed-identity[^>]*>")

    assert [call for call in calls if 'client-id="{{gateway-client-id}}"' not in call] == []


def test_stateless_calls_go_to_a_pool_and_stateful_ones_to_one_instance() -> None:
    source = (MODULES / "apim-backends.bicep").read_text(encoding="utf-8")

    assert names_of("apim-backends.bicep", "backends") >= {"openai-pool", "openai-primary"}
    assert "url: '${instances[0].endpoint}openai'" in source
    assert "servesStatefulOperations: index == 0" in (INFRA / "main.bicep").read_text(encoding="utf-8")


def test_the_api_is_imported_from_a_document_that_names_its_operations() -> None:
    document = json.loads((INFRA / "apim" / "azure-openai.openapi.json").read_text(encoding="utf-8"))
    operations = [
        operation.get("operationId")
        for path in document["paths"].values()
        for method, operation in path.items()
        if method in ("delete", "get", "patch", "post", "put")
    ]

    assert document["openapi"].startswith("3.0.")
    assert operations
    assert None not in operations
    assert len(operations) == len(set(operations))


@pytest.mark.parametrize("name", ["product.xml", "product-group.xml"])
def test_a_product_s_policy_is_well_formed_and_limits_tokens(name: str) -> None:
    root = ET.fromstring((INFRA / "policies" / name).read_text(encoding="utf-8"))  # noqa: S314  # our own file

    assert [child.tag for child in root] == ["inbound", "backend", "outbound", "on-error"]
    assert [child.find("base") is not None for child in root] == [True] * 4
    assert root.find("inbound/azure-openai-token-limit") is not None


def test_what_is_written_into_a_product_s_policy_is_what_the_policy_waits_for() -> None:
    source = "".join((MODULES / f"apim-{name}.bicep").read_text("utf-8") for name in ("teams", "vendor-api"))
    waiting = in_policies(r"\b(__[A-Z_]+__)\b")

    assert waiting == set(re.findall(r"'(__[A-Z_]+__)'", source))


def test_answers_are_never_held_back() -> None:
    gateway = (MODULES / "application-gateway.bicep").read_text(encoding="utf-8")

    assert "enableResponseBuffering: false" in gateway
