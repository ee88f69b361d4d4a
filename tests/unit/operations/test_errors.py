from typing import Any

import pytest

from shared.operations.errors import error_facts

PAGE = "<html><body>502 Bad Gateway</body></html>"


@pytest.mark.parametrize(
    ("status", "body", "code", "message"),
    [
        pytest.param(
            404, {"error": {"code": "DeploymentNotFound", "message": "no"}}, "DeploymentNotFound", "no", id="Azure"
        ),
        pytest.param(401, {"error": {"code": "401", "message": "denied"}}, "401", "denied", id="digits"),
        pytest.param(429, {"error": {"code": 429, "message": "slow"}}, "429", "slow", id="a number"),
        pytest.param(
            400,
            {"error": {"message": "bad", "type": "invalid_request_error", "param": None, "code": None}},
            "invalid_request_error",
            "bad",
            id="no code but a type",
        ),
        pytest.param(500, {"error": {"message": "oh", "type": None, "code": None}}, "500", "oh", id="no code, no type"),
        pytest.param(429, {"statusCode": 429, "message": "limit"}, "429", "limit", id="API Management"),
        pytest.param(400, {"error": "No routes"}, "400", "No routes", id="a text for an error"),
        pytest.param(400, {"error": "No routes", "code": "no_route"}, "no_route", "No routes", id="a text and a code"),
        pytest.param(403, {"code": "Forbidden", "message": "no"}, "Forbidden", "no", id="no error object"),
        pytest.param(400, {"title": "Bad", "detail": "n is 0"}, "400", "n is 0", id="problem details"),
        pytest.param(502, PAGE, "502", PAGE, id="a proxy's page"),
        pytest.param(503, None, "503", "Busy", id="no body"),
        pytest.param(503, {}, "503", "Busy", id="an empty object"),
        pytest.param(503, [], "503", "Busy", id="an array"),
        pytest.param(503, "", "503", "Busy", id="an empty text"),
        pytest.param(None, {"error": {"code": "x", "message": "y"}}, "x", "y", id="status not known"),
        pytest.param(200, {"error": {"code": "server_error", "message": "y"}}, "server_error", "y", id="in a 200"),
    ],
)
def test_every_error_has_a_code_and_a_message(status: int | None, body: Any, code: str, message: str) -> None:
    facts = error_facts(body, status=status, reason="Busy")

    assert facts == {"error_code": code, "error_message": message}


@pytest.mark.parametrize("body", [{"error": None}, {"error": {"code": None, "message": None}}, {}, "text", None, []])
def test_what_is_no_error_is_none(body: Any) -> None:
    assert error_facts(body, status=200, reason="OK") == {}


def test_a_long_message_is_cut() -> None:
    assert len(error_facts("x" * 5000, status=500)["error_message"]) == 1024


def test_an_image_that_the_policy_refused_was_filtered_whatever_the_code() -> None:
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_results": {}}

    facts = error_facts({"error": {"code": "content_policy_violation", "inner_error": inner}}, status=400)

    assert facts["prompt_filtered"] is True
    assert facts["error_code"] == "content_policy_violation"


REASON = {
    "type": "extra_forbidden",
    "loc": ["body", "user"],
    "msg": "Extra inputs are not permitted",
    "input": "secret",
}
SAID = "body.user: Extra inputs are not permitted"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param({"detail": [REASON]}, SAID, id="a list of details"),
        pytest.param(
            {"detail": [REASON, {"loc": ["body", "n"], "msg": "too big"}]}, f"{SAID}; body.n: too big", id="two"
        ),
        pytest.param({"detail": REASON}, SAID, id="one detail"),
        pytest.param({"detail": {"message": "no", "errors": [REASON]}}, SAID, id="reasons inside a detail"),
        pytest.param({"object": "error", "message": {"detail": [REASON]}, "type": "invalid"}, SAID, id="in a message"),
        pytest.param({"error": {"code": "Invalid input", "message": {"detail": [REASON]}}}, SAID, id="in an error"),
        pytest.param({"error": {"code": "Invalid input", "message": [REASON]}}, SAID, id="a list for a message"),
        pytest.param({"error": {"details": [{"message": "no", "target": "x"}]}}, "no", id="details of an error"),
        pytest.param({"error": [REASON]}, SAID, id="a list for an error"),
        pytest.param({"error": ["bad", "worse"]}, "bad; worse", id="texts for an error"),
        pytest.param({"errors": [{"message": "bad", "path": "n"}]}, "n: bad", id="a list of errors"),
        pytest.param({"errors": ["bad", "bad", "worse"]}, "bad; worse", id="texts, each once"),
        pytest.param({"errors": {"n": ["too big"], "user": ["unknown"]}}, "n: too big; user: unknown", id="by place"),
        pytest.param({"message": ["bad"]}, "bad", id="texts for a message"),
        pytest.param([REASON], SAID, id="a list alone"),
        pytest.param([{"error": {"message": "bad"}}], "bad", id="a list of errors alone"),
        pytest.param(["bad"], "bad", id="a list of texts alone"),
        pytest.param({"detail": [{"loc": ["body"], "input": "secret"}]}, None, id="nothing that says it"),
    ],
)
def test_a_list_of_reasons_is_a_message_and_holds_nothing_of_what_was_sent(body: Any, message: str | None) -> None:
    facts = error_facts(body, status=422)

    assert facts.get("error_message") == message
    assert "secret" not in str(facts)


def test_a_list_of_reasons_without_end_is_a_short_message() -> None:
    deep: Any = "bad"
    for _ in range(200):
        deep = {"errors": [deep] * 2}

    assert len(error_facts({"detail": [REASON | {"msg": "x" * 900}] * 9000}, status=422)["error_message"]) <= 1024
    assert len(error_facts({"errors": ["x" * 900 + str(n) for n in range(90)]}, status=422)["error_message"]) == 1024
    assert error_facts(deep, status=422) == {"error_code": "422"}
