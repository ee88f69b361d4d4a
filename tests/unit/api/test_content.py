"""Texts: who sees them, which witness is believed, and that each reading is recorded."""

from shared.services.search import SearchBounds
from tests.builders.events import a_request, a_response
from tests.unit.api.rows import Client, Ledger, an_interaction, client_of

_LIST = "/api/v1/interactions"
_AUDITOR = {"X-Local-User": "ada", "X-Local-Roles": "Audit.Read"}
_READER = {"X-Local-User": "ada", "X-Local-Roles": "Audit.Read,Content.Read"}


def a_question(text: str) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": text}]}


def test_content_is_texts_as_strings_and_bodies_as_json(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction())
    ledger.says("call-1", {"Q:1": a_request(), "R:1": a_response()})

    found = client.get(f"{_LIST}/call-1/content", headers=_READER).json()

    assert found["prompt"] == "What is two and two?"
    assert found["completion"] == "Four."
    assert found["request"]["messages"][0]["content"] == "What is two and two?"
    assert found["response"]["choices"][0]["message"]["content"] == "Four."
    assert ledger.reads() == [("ada", "/api/v1/interactions/{id}/content", "call-1")]


def test_content_that_nobody_told_is_null(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction())
    ledger.says("call-1", {"Q:1": a_request()})

    found = client.get(f"{_LIST}/call-1/content").json()

    assert (found["completion"], found["response"]) == (None, None)


def test_content_of_an_unknown_interaction_is_not_found_and_not_a_reading(ledger: Ledger, client: Client) -> None:
    assert client.get(f"{_LIST}/nobody/content").status_code == 404
    assert ledger.reads() == []


def test_previews_are_for_readers_of_content_and_recorded(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction(prompt_preview="Hello", completion_preview="Hi"))

    for path in (f"{_LIST}/call-1", _LIST):
        answer = client.get(path, headers=_AUDITOR).json()
        item = answer["items"][0] if "items" in answer else answer
        assert (item["promptPreview"], item["completionPreview"]) == (None, None)
    assert ledger.reads() == []

    for path in (f"{_LIST}/call-1", f"{_LIST}?state=complete"):
        answer = client.get(path, headers=_READER).json()
        item = answer["items"][0] if "items" in answer else answer
        assert (item["promptPreview"], item["completionPreview"]) == ("Hello", "Hi")
    assert ledger.reads() == [
        ("ada", "/api/v1/interactions/{id}", "call-1"),
        ("ada", "/api/v1/interactions", "list state=complete"),
    ]


def test_a_list_without_any_text_is_no_reading(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction())

    client.get(_LIST, headers=_READER)

    assert ledger.reads() == []


def test_a_search_finds_all_words_in_prompt_or_completion_whatever_their_case(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction("both"), an_interaction("one"), an_interaction("none"))
    ledger.says("both", {"Q:1": a_request("both", body=a_question("STRASSE and two?")), "R:1": a_response("both")})
    ledger.says("one", {"Q:1": a_request("one", body=a_question("Straße?"))})
    ledger.says("none", {"R:1": a_response("none")})

    found = client.get(_LIST, params={"q": "four straße"}, headers=_READER).json()

    assert [item["id"] for item in found["items"]] == ["both"]
    assert found["nextCursor"] is None
    assert ledger.reads() == [("ada", "/api/v1/interactions", "four straße")]


def test_a_search_keeps_to_the_other_filters(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction("a", model="gpt-4o"), an_interaction("b", model="o3"))
    for name in "ab":
        ledger.says(name, {"Q:1": a_request(name)})

    found = client.get(_LIST, params={"q": "two", "model": "o3"}).json()

    assert [item["id"] for item in found["items"]] == ["b"]


def test_a_search_that_has_looked_far_enough_hands_back_a_cursor(ledger: Ledger) -> None:
    ledger.has(*(an_interaction(f"c{n}") for n in range(7)))
    ledger.says("c1", {"Q:1": a_request("c1")})
    client = client_of(ledger.audit(bounds=SearchBounds(interactions=3)))

    pages: list[list[str]] = []
    cursor = None
    while cursor is not None or not pages:
        page = client.get(_LIST, params={"q": "two"} | ({"cursor": cursor} if cursor else {})).json()
        pages.append([item["id"] for item in page["items"]])
        cursor = page["nextCursor"]

    assert pages == [[], ["c1"], []]


def test_a_full_page_of_a_search_goes_on_behind_its_last_item(ledger: Ledger, client: Client) -> None:
    ledger.has(*(an_interaction(f"c{n}") for n in range(3)))
    for n in range(3):
        ledger.says(f"c{n}", {"Q:1": a_request(f"c{n}")})

    first = client.get(_LIST, params={"q": "two", "limit": 2}).json()
    second = client.get(_LIST, params={"q": "two", "limit": 2, "cursor": first["nextCursor"]}).json()

    assert [item["id"] for item in first["items"] + second["items"]] == ["c2", "c1", "c0"]


def test_a_search_needs_the_content_role(client: Client) -> None:
    response = client.get(f"{_LIST}?q=two", headers=_AUDITOR)

    assert response.status_code == 403
    assert response.json()["role"] == "Content.Read"


def test_a_search_tells_where_the_text_matches_and_that_no_index_helped(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction("a"))
    ledger.says("a", {"Q:1": a_request("a", body=a_question("Grüße from the quick brown fox"))})

    found = client.get(_LIST, params={"q": '"quick brown" fox* grusse'}).json()

    assert found["items"][0]["snippet"] == {"part": "prompt", "text": "Grüße from the quick brown fox"}
    assert (found["degraded"], found["waiting"]) == (True, 0)


def test_words_of_a_phrase_follow_each_other(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction("a"))
    ledger.says("a", {"Q:1": a_request("a", body=a_question("the quick brown fox"))})

    assert len(client.get(_LIST, params={"q": '"quick brown"'}).json()["items"]) == 1
    assert client.get(_LIST, params={"q": '"brown quick"'}).json()["items"] == []


def test_a_search_may_be_posted_and_is_recorded_the_same(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction("a", model="o3"), an_interaction("b", model="gpt-4o"))
    for name in "ab":
        ledger.says(name, {"Q:1": a_request(name)})

    first = client.post(f"{_LIST}/search", json={"q": "two", "limit": 1}, headers=_READER).json()
    second = client.post(f"{_LIST}/search", json={"q": "two", "limit": 1, "cursor": first["nextCursor"]}).json()
    narrowed = client.post(f"{_LIST}/search", json={"q": "two", "model": "o3"}).json()

    assert [item["id"] for item in first["items"] + second["items"]] == ["b", "a"]
    assert [item["id"] for item in narrowed["items"]] == ["a"]
    assert ledger.reads()[0] == ("ada", "/api/v1/interactions/search", "two")


def test_a_posted_search_needs_the_content_role_and_words(client: Client) -> None:
    refused = client.post(f"{_LIST}/search", json={"q": "two"}, headers=_AUDITOR)
    wrong = [client.post(f"{_LIST}/search", json=body) for body in ({}, {"q": "?"}, {"q": "ab*"}, {"q": "a", "x": 1})]

    assert (refused.status_code, refused.json()["role"]) == (403, "Content.Read")
    assert [response.status_code for response in wrong] == [400] * 4
