import asyncio
from typing import Any

import azure.functions as func
import httpx
import pytest

from localhost.errors import UsageError
from localhost.functions import functions_of
from localhost.http_app import HttpApp, LocalContext, Routes


def an_app() -> HttpApp:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.route(route="things/{id}", methods=["GET"])
    def read_thing(req: func.HttpRequest) -> func.HttpResponse:
        text = f"{req.method} {req.url} {req.route_params['id']} {dict(req.params)} {req.headers.get('x-word')}"
        return func.HttpResponse(text, headers={"X-Answer": "42"})

    @app.route(route="things/all", methods=["GET"])
    async def read_things(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        assert req.route_params == {}
        return func.HttpResponse(context.function_name, status_code=202, mimetype="application/json")

    @app.route(route="rest/{*rest}", methods=["GET", "POST"])
    def read_rest(req: func.HttpRequest) -> str:
        return f"{req.route_params.get('rest')}|{req.get_body().decode()}"

    @app.route(route="broken")
    def break_down(req: func.HttpRequest) -> str:
        raise OSError(f"disk full at {req.url}")

    return HttpApp(Routes(functions_of(app.get_functions()).http, "api"))


def ask(method: str, target: str, **options: Any) -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(an_app()), base_url="http://127.0.0.1:7071"
        ) as client:
            return await client.request(method, target, **options)

    return asyncio.run(send())


def test_a_function_sees_method_url_route_query_and_headers() -> None:
    answer = ask("GET", "/api/things/a%20b?x=1&x=2&y=", headers={"X-Word": "hello"})

    assert answer.text == ("GET http://127.0.0.1:7071/api/things/a%20b?x=1&x=2&y= a b {'x': '1,2', 'y': ''} hello")
    assert answer.headers["x-answer"] == "42"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_a_literal_segment_goes_before_a_parameter() -> None:
    answer = ask("GET", "/api/things/all")

    assert (answer.status_code, answer.text) == (202, "read_things")
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("target", "rest"), [("/api/rest", "None"), ("/api/rest/", "None"), ("/api/rest/a", "a"), ("/api/rest/a/b", "a/b")]
)
def test_a_catch_all_takes_what_is_left_even_nothing(target: str, rest: str) -> None:
    assert ask("POST", target, content=b"body").text == f"{rest}|body"


@pytest.mark.parametrize(
    ("method", "target"),
    [("GET", "/"), ("GET", "/things/1"), ("GET", "/api/things"), ("POST", "/api/things/1"), ("GET", "/api/things/1/2")],
)
def test_what_no_route_takes_is_not_found(method: str, target: str) -> None:
    assert ask(method, target).status_code == 404


def test_paths_match_whatever_their_case() -> None:
    assert ask("GET", "/API/Things/all").status_code == 202


def test_a_function_that_raises_answers_500_and_says_nothing() -> None:
    answer = ask("GET", "/api/broken")

    assert (answer.status_code, answer.text) == (500, "")


@pytest.mark.parametrize("host", ["a:b", "", "a:99999", "[", "host:-1"])
def test_a_host_header_that_cannot_be_read_is_refused(host: str) -> None:
    answer = asyncio.run(an_app().request("GET", "/api/things/1", {"host": host}))

    assert answer.status_code == 400


def test_a_route_that_is_not_understood_names_its_function() -> None:
    app = func.FunctionApp()

    @app.route(route="things/{id:int}")
    def read_number(req: func.HttpRequest) -> str:
        return str(req.url)

    with pytest.raises(UsageError, match="read_number"):
        Routes(functions_of(app.get_functions()).http, "api")


def test_the_context_has_what_the_asgi_middleware_reads() -> None:
    context = LocalContext("f")

    assert isinstance(context, func.Context)
    assert context.function_name == "f"
    assert context.invocation_id != LocalContext("f").invocation_id
    assert context.thread_local_storage is not None
    assert context.trace_context.trace_parent == ""
    assert context.retry_context.retry_count == 0
