"""Bills worked out by hand, each in a comment: so many units times the price of a million."""

from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from shared.operations import read_response
from shared.pricing.book import Book
from shared.pricing.charge import Charge, Confidence, charge_of
from shared.pricing.entries import Scope, Tier, Unit
from shared.pricing.files import Origin, read_file, shipped_text
from tests.builders.prices import a_deployment, a_price

PAGE = Path(__file__).parents[3] / "docs" / "cost.md"
AT = "2026-03-02T09:30:00.000Z"
APRIL, MAY = "2026-04-01T00:00:00.000Z", "2026-05-01T00:00:00.000Z"

PRICES = [
    # gpt-4o: 2.5 in, 1.25 cached, 10 out; in a data zone 2.75, 1.375, 11; in Sweden's region 3, Norway's 3.5
    a_price(version="2024-11-20"),
    a_price(Unit.CACHED_INPUT, "1.25", version="2024-11-20"),
    a_price(Unit.OUTPUT, "10", version="2024-11-20"),
    a_price(Unit.INPUT, "1.25", version="2024-11-20", tier=Tier.BATCH),
    a_price(Unit.OUTPUT, "5", version="2024-11-20", tier=Tier.BATCH),
    a_price(Unit.INPUT, "2.75", version="2024-11-20", scope=Scope.DATA_ZONE),
    a_price(Unit.CACHED_INPUT, "1.375", version="2024-11-20", scope=Scope.DATA_ZONE),
    a_price(Unit.OUTPUT, "11", version="2024-11-20", scope=Scope.DATA_ZONE),
    a_price(Unit.INPUT, "3", version="2024-11-20", scope=Scope.REGIONAL),
    a_price(Unit.OUTPUT, "12", version="2024-11-20", scope=Scope.REGIONAL),
    a_price(Unit.INPUT, "3.5", version="2024-11-20", scope=Scope.REGIONAL, region="norwayeast"),
    a_price(Unit.OUTPUT, "14", version="2024-11-20", scope=Scope.REGIONAL, region="norwayeast"),
    a_price(Unit.INPUT, "5", version="2024-05-13"),
    a_price(Unit.OUTPUT, "15", version="2024-05-13"),
    # o4-mini: one version; 1.1 in, 4.4 out
    a_price(Unit.INPUT, "1.1", model="o4-mini", version="2025-04-16"),
    a_price(Unit.OUTPUT, "4.4", model="o4-mini", version="2025-04-16"),
    # gpt-5.6: above 272,000 tokens twice as much in, half as much again out; writes to the cache cost; priority too
    a_price(Unit.INPUT, "5", model="gpt-5.6"),
    a_price(Unit.CACHED_INPUT, "0.5", model="gpt-5.6"),
    a_price(Unit.CACHE_WRITE, "6.25", model="gpt-5.6"),
    a_price(Unit.OUTPUT, "30", model="gpt-5.6"),
    a_price(Unit.INPUT, "10", model="gpt-5.6", above_tokens=272_000),
    a_price(Unit.CACHED_INPUT, "1", model="gpt-5.6", above_tokens=272_000),
    a_price(Unit.OUTPUT, "45", model="gpt-5.6", above_tokens=272_000),
    a_price(Unit.INPUT, "10", model="gpt-5.6", tier=Tier.PRIORITY),
    a_price(Unit.OUTPUT, "60", model="gpt-5.6", tier=Tier.PRIORITY),
    a_price(Unit.INPUT, "2", model="gpt-5.6", tier=Tier.FLEX),
    a_price(Unit.SEARCH, "14000", model="gpt-5.6"),
    # gpt-audio: text 2.5 in, 10 out; sound 40 in, 80 out
    a_price(Unit.INPUT, "2.5", model="gpt-audio"),
    a_price(Unit.CACHED_INPUT, "1.25", model="gpt-audio"),
    a_price(Unit.OUTPUT, "10", model="gpt-audio"),
    a_price(Unit.AUDIO_INPUT, "40", model="gpt-audio"),
    a_price(Unit.AUDIO_OUTPUT, "80", model="gpt-audio"),
    # gpt-image-1: text 5 in, images 10 in and 40 out, no text out
    a_price(Unit.INPUT, "5", model="gpt-image-1"),
    a_price(Unit.IMAGE_INPUT, "10", model="gpt-image-1"),
    a_price(Unit.IMAGE_OUTPUT, "40", model="gpt-image-1"),
    # gpt-4o-mini-tts: text 0.6 in, sound 12 out
    a_price(Unit.INPUT, "0.6", model="gpt-4o-mini-tts"),
    a_price(Unit.AUDIO_OUTPUT, "12", model="gpt-4o-mini-tts"),
    # by image, by second, by character
    a_price(Unit.IMAGE, "40000", model="dall-e-3", variant="standard 1024x1024"),
    a_price(Unit.IMAGE, "120000", model="dall-e-3", variant="hd 1024x1792"),
    a_price(Unit.AUDIO_SECOND, "100", model="whisper"),
    a_price(Unit.CHARACTER, "15", model="tts"),
    a_price(Unit.VIDEO_SECOND, "100000", model="sora-2"),
    a_price(Unit.VIDEO_SECOND, "500000", model="sora-2-pro", variant="1024x1792"),
    # Claude: 3 in, 0.3 cached, 3.75 written for minutes, 6 for an hour, 15 out
    a_price(Unit.INPUT, "3", model="claude-sonnet"),
    a_price(Unit.CACHED_INPUT, "0.3", model="claude-sonnet"),
    a_price(Unit.CACHE_WRITE, "3.75", model="claude-sonnet"),
    a_price(Unit.CACHE_WRITE_1H, "6", model="claude-sonnet"),
    a_price(Unit.OUTPUT, "15", model="claude-sonnet"),
    a_price(Unit.INPUT, "0.02", model="text-embedding-3-small"),
    a_price(Unit.INPUT, "0.14", model="model-router"),
    # of whichever model: 0.0025 a search in files, 0.033 a session
    a_price(Unit.FILE_SEARCH, "2500", model="file-search"),
    a_price(Unit.CODE_SESSION, "33000", model="code-interpreter"),
    # The organisation pays 20% less for o3, in euros, and its list changes in April and ends in May
    a_price(Unit.INPUT, "2", model="o3", version="2025-04-16"),
    a_price(Unit.OUTPUT, "8", model="o3", version="2025-04-16"),
    a_price(Unit.INPUT, "1.6", model="o3", currency="EUR", is_own=True, book_version=3),
    a_price(Unit.OUTPUT, "6.4", model="o3", currency="EUR", is_own=True, book_version=2),
    a_price(Unit.INPUT, "1", model="gpt-old", valid_to=MAY),
    a_price(Unit.OUTPUT, "2", model="gpt-old", valid_to=MAY),
    a_price(Unit.INPUT, "0.5", model="gpt-old", valid_from=APRIL, valid_to=MAY),
    a_price(Unit.INPUT, "1", model="half-own"),
    a_price(Unit.OUTPUT, "2", model="half-own", currency="EUR", is_own=True),
]
DEPLOYMENTS = [
    a_deployment("chat", version="2024-11-20"),
    a_deployment("zone", version="2024-11-20", sku="DataZoneStandard"),
    a_deployment("norway", version="2024-11-20", sku="Standard", region="norwayeast"),
    a_deployment("anywhere", version="2024-11-20", sku="Standard"),
    a_deployment("nightly", version="2024-11-20", sku="GlobalBatch"),
    a_deployment("reserved", version="2024-11-20", sku="GlobalProvisionedManaged"),
    a_deployment("any", model=""),
    a_deployment("router", model="model-router"),
    a_deployment("tuned", model="gpt-4o.ft-0123"),
    a_deployment("twins", model="gpt-4o", version="2024-05-13"),
    a_deployment("twins", model="o4-mini", host="other.example.org"),
    a_deployment("grown", model="o4-mini", valid_to=APRIL),
    a_deployment("grown", model="o3", valid_from=APRIL),
]
BOOK = Book(PRICES, DEPLOYMENTS, version=3)

GPT_4O = {"model": "gpt-4o-2024-11-20", "deployment": "chat"}


def tokens(given: int | None, made: int | None, **changes: Any) -> dict[str, Any]:
    total = None if given is None or made is None else given + made
    return {"input_tokens": given, "output_tokens": made, "total_tokens": total} | changes


class Bill(NamedTuple):
    name: str
    call: dict[str, Any]
    amount: str | None
    confidence: str = "exact"
    reason: str | None = None


BILLS = [
    # 1,000 x 2.5 + 500 x 10 = 2,500 + 5,000 = 7,500 millionths
    Bill("input and output", GPT_4O | tokens(1000, 500), "0.0075"),
    # 1 x 2.5 + 1 x 10 = 12.5 millionths
    Bill("one token each", GPT_4O | tokens(1, 1), "0.0000125"),
    # 800 fresh x 2.5 + 200 cached x 1.25 + 500 x 10 = 2,000 + 250 + 5,000
    Bill("cached input", GPT_4O | tokens(1000, 500, cached_input_tokens=200), "0.00725"),
    # all 1,000 cached x 1.25 + 0 fresh
    Bill("all of it cached", GPT_4O | tokens(1000, 0, cached_input_tokens=1000), "0.00125"),
    # 1,500 cached of 1,000: no more than 1,000 are, and nothing is taken back: 1,000 x 1.25
    Bill(
        "more cached than there is",
        GPT_4O | tokens(1000, 0, cached_input_tokens=1500),
        "0.00125", "estimated", "parts-overlap",
    ),
    # reasoning is part of the output: 100 x 1.1 + 900 x 4.4 = 110 + 3,960
    Bill("reasoning", {"model": "o4-mini", "deployment": "any"} | tokens(100, 900, reasoning_tokens=800), "0.00407"),
    # 1,000 written: gpt-4o has no price for that, they are input: 1,000 x 2.5
    Bill("a cache write that is free", GPT_4O | tokens(1000, 0, cache_write_tokens=1000), "0.0025"),
    # 100 fresh x 5 + 400 read x 0.5 + 500 written x 6.25 + 10 x 30 = 500 + 200 + 3,125 + 300
    Bill(
        "a cache write that costs",
        {"model": "gpt-5.6", "deployment": "any"}
        | tokens(1000, 10, cached_input_tokens=400, cache_write_tokens=500),
        "0.004125",
    ),
    # 100 fresh x 3 + 200 for minutes x 3.75 + 300 for an hour x 6 + 10 x 15 = 300 + 750 + 1,800 + 150
    Bill(
        "cache writes for minutes and for an hour",
        {"model": "claude-sonnet", "deployment": "any"}
        | tokens(600, 10, cache_write_tokens=500, cache_write_1h_tokens=300),
        "0.003",
    ),
    # 300 text x 2.5 + 700 sound x 40 + 100 text x 10 + 400 sound x 80 = 750 + 28,000 + 1,000 + 32,000
    Bill(
        "sound in and out",
        {"model": "gpt-audio", "deployment": "any"}
        | tokens(1000, 500, audio_input_tokens=700, audio_output_tokens=400),
        "0.06175",
    ),
    # what was cached may have been sound: 500 x 1.25 + 300 sound x 40 + 200 x 2.5 = 625 + 12,000 + 500
    Bill(
        "cached beside sound",
        {"model": "gpt-audio", "deployment": "any"}
        | tokens(1000, 0, cached_input_tokens=500, audio_input_tokens=300),
        "0.013125", "estimated", "parts-overlap",
    ),
    # 50 text x 5 + 200 of images x 10 + 4,160 out, all of them images, x 40 = 250 + 2,000 + 166,400
    Bill(
        "images by token",
        {"model": "gpt-image-1", "deployment": "any", "images": 1} | tokens(250, 4160, image_input_tokens=200),
        "0.16865",
    ),
    # a model that only sees: 765 of an image are input, 1,000 x 2.5 in all
    Bill("an image that is seen", GPT_4O | tokens(1000, 0, image_input_tokens=765), "0.0025"),
    # 20 x 0.6 + 1,000 out, all of them sound, x 12 = 12 + 12,000
    Bill("speech by token", {"model": "gpt-4o-mini-tts", "deployment": "any"} | tokens(20, 1000), "0.012012"),
    # 2 images x 0.04
    Bill("images of the usual size", {"model": "dall-e-3", "deployment": "any", "images": 2}, "0.08"),
    # 3 images x 0.12
    Bill(
        "large images",
        {
            "model": "dall-e-3", "deployment": "any", "images": 3,
            "parameters": '{"n":3,"quality":"hd","size":"1024x1792"}',
        },
        "0.36",
    ),
    Bill(
        "an image of a size without a price",
        {"model": "dall-e-3", "deployment": "any", "images": 1, "parameters": '{"size":"256x256"}'},
        None, "no-price", "no-image-price",
    ),
    # 90.5 s x 0.0001
    Bill(
        "sound by the second",
        {"model": "whisper-1", "deployment": "any", "operation": "audio.transcriptions", "seconds": 90.5},
        "0.00905",
    ),
    # 0.1 s x 0.0001 = 0.00001, where a binary 0.1 would leave a trace
    Bill(
        "a tenth of a second",
        {"model": "whisper", "deployment": "any", "operation": "audio.translations", "seconds": 0.1},
        "0.00001",
    ),
    # 1,234 characters x 0.000015
    Bill(
        "speech by the character",
        {"model": "tts-1", "deployment": "any", "operation": "audio.speech", "characters": 1234},
        "0.01851",
    ),
    # 8 s x 0.1
    Bill("a video", {"model": "sora-2", "deployment": "any", "operation": "videos", "seconds": 8.0}, "0.8"),
    # 4 s x 0.5
    Bill(
        "a large video",
        {
            "model": "sora-2-pro", "deployment": "any", "operation": "videos", "seconds": 4.0,
            "parameters": '{"size":"1024x1792"}',
        },
        "2",
    ),
    # 50 x 0.02 = 1 millionth
    Bill(
        "an embedding",
        {"model": "text-embedding-3-small", "deployment": "any", "operation": "embeddings", "total_tokens": 50},
        "0.000001",
    ),
    # 600 in of 1,000 in all leaves 400 out: 600 x 2.5 + 400 x 10
    Bill("output that follows from the total", GPT_4O | tokens(600, None, total_tokens=1000), "0.0055"),
    # 10,000 x 5 + 100 x 30 + 2 searches x 0.014 = 0.05 + 0.003 + 0.028
    Bill(
        "searches on the web",
        {"model": "gpt-5.6", "deployment": "any", "operation": "responses"} | tokens(10_000, 100, web_searches=2),
        "0.081",
    ),
    # 1,000 x 2.5 + 500 x 10, and 3 searches x 0.0025 = 0.0075 + 0.0075
    Bill("searches in files", GPT_4O | tokens(1000, 500, operation="responses", file_searches=3), "0.015"),
    # the same tokens, and 2 sessions x 0.033 = 0.0075 + 0.066; other calls may go on in them
    Bill(
        "sessions of the code interpreter",
        GPT_4O | tokens(1000, 500, operation="responses", code_sessions=2),
        "0.0735", "estimated", "sessions-assumed",
    ),
    # tokens of a batch are half, 1,000 x 1.25 + 500 x 5; tools are not: + 0.0025
    Bill("a search in files of a batch", GPT_4O | tokens(1000, 500, operation="batches", file_searches=1), "0.00625"),
    # in euros 10 x 1.6 + 5 x 6.4; the search has a price in dollars alone
    Bill(
        "a search in files whose price is in another currency",
        {"model": "o3-2025-04-16", "deployment": "any"} | tokens(10, 5, file_searches=1),
        "0.000048", "estimated", "tools-extra",
    ),
    # no tokens at all, 1 x 0.0025
    Bill("a search in files alone", GPT_4O | tokens(0, 0, file_searches=1), "0.0025"),
    # 1,000 x 1.25 + 500 x 5
    Bill("a batch", GPT_4O | tokens(1000, 500, operation="batches"), "0.00375"),
    # the same, by the deployment
    Bill("a deployment for batches", GPT_4O | tokens(1000, 500, deployment="nightly"), "0.00375"),
    # no discount is listed for cached input of batches: 1,000 x 1.25 + 0
    Bill(
        "cached input of a batch",
        GPT_4O | tokens(1000, 0, operation="batches", cached_input_tokens=400),
        "0.00125", "estimated", "no-cached-price",
    ),
    # o4-mini has no batch price: half of 1,000 x 1.1 + 100 x 4.4 = half of 1,540
    Bill(
        "a batch without a price of its own",
        {"model": "o4-mini", "deployment": "any"} | tokens(1000, 100, operation="batches"),
        "0.00077", "estimated", "tier-derived",
    ),
    # 1,000 x 10 + 100 x 60
    Bill(
        "priority, as the answer says",
        {"model": "gpt-5.6", "deployment": "any", "service_tier": "priority"} | tokens(1000, 100),
        "0.016",
    ),
    # priority was asked for, and standard served: 1,000 x 5 + 100 x 30
    Bill(
        "priority that was downgraded",
        {
            "model": "gpt-5.6", "deployment": "any", "service_tier": "default",
            "parameters": '{"service_tier":"priority"}',
        }
        | tokens(1000, 100),
        "0.008",
    ),
    # 1,000 x 2, as listed, + 100 x half of 30
    Bill(
        "flex",
        {"model": "gpt-5.6", "deployment": "any", "service_tier": "flex"} | tokens(1000, 100),
        "0.0035", "estimated", "tier-derived",
    ),
    # gpt-4o has no priority
    Bill(
        "priority without a price",
        GPT_4O | tokens(1000, 100, service_tier="priority"),
        None, "no-price", "no-input-price",
    ),
    # 272,000 is not above: 272,000 x 5
    Bill("as long as may be", {"model": "gpt-5.6", "deployment": "any"} | tokens(272_000, 0), "1.36"),
    # 272,001 is: 271,001 x 10 + 1,000 cached x 1 + 100 x 45 = 2,710,010 + 1,000 + 4,500
    Bill(
        "longer than that",
        {"model": "gpt-5.6", "deployment": "any"} | tokens(272_001, 100, cached_input_tokens=1000),
        "2.71551",
    ),
    # priority has no price for long contexts: 300,000 x 10
    Bill(
        "priority of a long context",
        {"model": "gpt-5.6", "deployment": "any", "service_tier": "priority"} | tokens(300_000, 0),
        "3", "estimated", "long-context",
    ),
    # 1,000 x 2.75 + 500 x 11
    Bill("a data zone", GPT_4O | tokens(1000, 500, deployment="zone"), "0.00825"),
    # 1,000 x 3.5 + 500 x 14
    Bill("a region with a price of its own", GPT_4O | tokens(1000, 500, deployment="norway"), "0.0105"),
    # the region is not known, and prices differ: 1,000 x 3 + 500 x 12
    Bill(
        "a region that nobody named",
        GPT_4O | tokens(1000, 500, deployment="anywhere"),
        "0.009", "estimated", "region-unknown",
    ),
    # spill-over went to `chat`: 1,000 x 2.5 + 500 x 10
    Bill(
        "spill-over is charged as what served",
        GPT_4O | tokens(1000, 500, deployment="reserved", served_deployment="chat"),
        "0.0075",
    ),
    Bill("provisioned", GPT_4O | tokens(1000, 500, deployment="reserved"), None, "no-price", "provisioned"),
    # 1,000 x 2.5 + 500 x 10, and the router's fee of 1,000 x 0.14
    Bill("a router's choice", GPT_4O | tokens(1000, 500, deployment="router"), "0.00764"),
    # only the deployment is known: it is gpt-4o of November: 10 x 2.5 + 5 x 10
    Bill("a log that knows the deployment alone", tokens(10, 5, deployment="chat"), "0.000075"),
    # the newer path names the deployment as the model: the same
    Bill("a deployment that is named as the model", tokens(10, 5, model="chat", requested_model="chat"), "0.000075"),
    # two resources have a deployment `twins`; on this one it is o4-mini: 10 x 1.1 + 5 x 4.4
    Bill(
        "the deployment of another resource",
        tokens(10, 5, deployment="twins", backend_host="other.example.org"),
        "0.000033",
    ),
    # until April it was o4-mini
    Bill("a deployment before it changed", tokens(10, 5, deployment="grown"), "0.000033"),
    # from April o3, at the organisation's price in euros: 10 x 1.6 + 5 x 6.4
    Bill("a deployment after it changed", tokens(10, 5, deployment="grown", occurred_at=APRIL), "0.000048"),
    # nobody said what `nobody` is: the widest scope of the model that the answer names: 1,000 x 2.5 + 500 x 10
    Bill(
        "a deployment that nobody described",
        GPT_4O | tokens(1000, 500, deployment="nobody"),
        "0.0075", "estimated", "unmapped-deployment",
    ),
    Bill("nothing but a deployment that nobody described", tokens(10, 5, deployment="nobody"), None, "no-price",
         "unmapped-deployment"),
    Bill("a model that is not listed", tokens(10, 5, model="llama-9", deployment="any"), None, "no-price",
         "unknown-model"),
    Bill("a fine-tuned model without a price", tokens(10, 5, deployment="tuned"), None, "no-price", "no-input-price"),
    # no version is named, and there are two: the newest, 1,000 x 2.5
    Bill(
        "a model without its version",
        {"model": "gpt-4o", "deployment": "any"} | tokens(1000, 0),
        "0.0025", "estimated", "newest-version",
    ),
    # a version that is not listed yet: the newest that is
    Bill(
        "a version that is not listed",
        {"model": "gpt-4o-2029-01-01", "deployment": "any"} | tokens(1000, 0),
        "0.0025", "estimated", "newest-version",
    ),
    # before April 1, from then on 0.5: 1,000 x 1
    Bill("a price before it changed", {"model": "gpt-old", "deployment": "any"} | tokens(1000, 0), "0.001"),
    # 1,000 x 0.5
    Bill(
        "a price after it changed",
        {"model": "gpt-old", "deployment": "any", "occurred_at": APRIL} | tokens(1000, 0),
        "0.0005",
    ),
    Bill("a price that ended", {"model": "gpt-old", "deployment": "any", "occurred_at": MAY} | tokens(1000, 0), None,
         "no-price", "unknown-model"),
    Bill("two currencies in one call", {"model": "half-own", "deployment": "any"} | tokens(10, 5), None, "no-price",
         "several-currencies"),
    # an estimate of 100 x 2.5 + 50 x 10
    Bill(
        "a stream without usage, estimated",
        GPT_4O | tokens(100, 50, usage_provenance="estimated", streamed=True),
        "0.00075", "estimated", "usage-estimated",
    ),
    Bill("a stream without usage", GPT_4O | {"streamed": True, "usage_provenance": "missing"}, None, "unmetered",
         "no-usage"),
    Bill("a stream that broke off", GPT_4O | tokens(100, None), None, "unmetered", "output-unknown"),
    # the filter's 400 is charged: 100 x 2.5 that were counted
    Bill(
        "the content filter's 400, its prompt counted",
        GPT_4O | tokens(100, None, http_status=400, error_code="content_filter", usage_provenance="estimated"),
        "0.00025", "estimated", "usage-estimated",
    ),
    Bill("the content filter's 400", GPT_4O | {"http_status": 400, "error_code": "content_filter"}, None, "unmetered",
         "no-usage"),
    Bill("a 400 for too long an input", GPT_4O | {"http_status": 400, "error_code": "context_length_exceeded"}, None,
         "unmetered", "no-usage"),
    Bill("a 408", GPT_4O | {"http_status": 408}, None, "unmetered", "no-usage"),
    Bill("another 400", GPT_4O | {"http_status": 400, "error_code": "unsupported_value"}, "0", "free", "invalid"),
    Bill("a 400 that says nothing", GPT_4O | {"http_status": 400}, None, "unmetered", "no-usage"),
    Bill("a 401", GPT_4O | {"http_status": 401}, "0", "free", "refused"),
    Bill("a 404", {"deployment": "gone", "http_status": 404}, "0", "free", "refused"),
    Bill("a 429", GPT_4O | {"http_status": 429}, "0", "free", "refused"),
    Bill("refused by the gateway", GPT_4O | {"http_status": 500, "gateway_refused": True}, "0", "free", "refused"),
    Bill("the model broke", GPT_4O | {"http_status": 500}, None, "unmetered", "no-usage"),
    Bill("the caller left", GPT_4O | {"http_status": 0}, None, "unmetered", "no-usage"),
    Bill("answered from the gateway's cache", GPT_4O | tokens(1000, 500, cached=True), "0", "free", "cached"),
    Bill("a list of files", {"operation": "files", "method": "POST"}, "0", "free", "no-model"),
    Bill("a response that is read again", {"operation": "responses", "method": "GET"}, "0", "free", "no-model"),
    Bill("nought of everything", GPT_4O | tokens(0, 0), None, "unmetered", "no-usage"),
]  # fmt: skip


def charge(call: dict[str, Any], *, counts: bool = True) -> Charge:
    return charge_of(
        {"occurred_at": AT, "usage_provenance": "reported", "http_status": 200} | call, BOOK, counts=counts
    )


@pytest.mark.parametrize("bill", BILLS, ids=[bill.name for bill in BILLS])
def test_a_bill_is_what_it_comes_to_by_hand(bill: Bill) -> None:
    charged = charge(bill.call)

    assert (charged.amount, charged.confidence, charged.reason) == (
        None if bill.amount is None else Decimal(bill.amount),
        Confidence(bill.confidence),
        bill.reason,
    )


def test_a_poll_that_is_repeated_a_hundred_times_is_billed_once() -> None:
    # 1,000 x 2.5 + 500 x 10 once, and ninety-nine times nothing
    polls = [charge(GPT_4O | tokens(1000, 500), counts=place == 0) for place in range(100)]

    assert sum(one.amount or 0 for one in polls) == Decimal("0.0075")
    assert {(one.confidence, one.reason) for one in polls[1:]} == {(Confidence.FREE, "repeated")}


def test_tools_without_a_price_are_no_part_of_an_amount_that_says_so() -> None:
    book = Book([a_price(), a_price(Unit.OUTPUT, "10")], [a_deployment("chat")])
    call = {"occurred_at": AT, "model": "gpt-4o", "deployment": "chat", "file_searches": 2, "code_sessions": 1}

    some = charge_of(call | tokens(1000, 500), book, counts=True)
    nothing = charge_of(call | tokens(0, 0), book, counts=True)

    # 1,000 x 2.5 + 500 x 10
    assert (some.amount, some.confidence, some.reason) == (Decimal("0.0075"), Confidence.ESTIMATED, "tools-extra")
    assert (nothing.amount, nothing.confidence, nothing.reason) == (None, Confidence.NO_PRICE, "tools-extra")


def test_a_response_that_ran_code_bears_its_session_by_the_shipped_list() -> None:
    code = {"id": "ci_1", "type": "code_interpreter_call", "code": "1+1", "container_id": "cntr_1", "outputs": None}
    usage = {"input_tokens": 1200, "output_tokens": 350, "total_tokens": 1550}
    body = {"id": "resp_1", "object": "response", "model": "gpt-4o-2024-11-20", "output": [code, code], "usage": usage}
    facts = read_response(body, operation="responses", status=200).facts

    charged = charge_of(
        {"occurred_at": AT, "http_status": 200, "deployment": "any", "operation": "responses"} | facts,
        LISTED,
        counts=True,
    )

    # 1,200 x 2.5 + 350 x 10 = 6,500 millionths, and a session of 0.033
    assert (charged.amount, charged.reason) == (Decimal("0.0395"), "sessions-assumed")
    assert [(part.entry.unit, part.number, part.amount) for part in charged.parts][-1] == (
        Unit.CODE_SESSION, Decimal(1), Decimal("0.033"),
    )  # fmt: skip


def test_an_amount_is_in_the_currency_of_its_prices_and_names_the_newest_version_of_them() -> None:
    charged = charge({"model": "o3-2025-04-16", "deployment": "any"} | tokens(10, 5))

    assert (charged.currency, charged.price_version) == ("EUR", 3)
    assert charge(GPT_4O | {"http_status": 429}).currency is None


def test_an_amount_has_twelve_places_halves_to_the_even_one() -> None:
    # 1 x 0.0000005 = 0.0000000000005, between 0 and 1 of the last place; 3 x that lies between 1 and 2
    tiny = Book([a_price(Unit.INPUT, "0.0000005"), a_price(Unit.OUTPUT, "1")], [a_deployment("chat")])
    call = {"occurred_at": AT, "model": "gpt-4o", "deployment": "chat"}

    amounts = [charge_of(call | tokens(number, 0), tiny, counts=True).amount for number in (1, 3)]

    assert amounts == [Decimal(0), Decimal("0.000000000002")]


LISTED = Book(
    read_file(Origin.LIST, shipped_text()).entries,  # type: ignore[arg-type]  # of prices
    [
        a_deployment("any", model=""),
        a_deployment("zone", version="2024-11-20", sku="DataZoneStandard", region="swedencentral"),
        a_deployment("router", model="model-router"),
    ],
)
FIRST = {"model": "gpt-4o-2024-11-20"} | tokens(1200, 350)
TEN: list[tuple[str, dict[str, Any]]] = [
    ("0.0065", FIRST),
    ("0.005742", FIRST | {"deployment": "zone", "cached_input_tokens": 1024}),
    ("0.00325", FIRST | {"operation": "batches"}),
    ("1.095", {"model": "gpt-5.4-2026-03-05"} | tokens(300_000, 2000, cached_input_tokens=100_000)),
    ("0.049", {"model": "gpt-5.4-2026-03-05", "service_tier": "priority"} | tokens(5000, 800)),
    (
        "0.061",
        {"model": "gpt-5.6-sol-2026-07-09"} | tokens(10_000, 500, cached_input_tokens=2000, cache_write_tokens=4000),
    ),
    ("0.16865", {"model": "gpt-image-1"} | tokens(250, 4160, image_input_tokens=200)),
    ("0.24", {"model": "dall-e-3", "images": 2, "parameters": '{"quality":"hd","size":"1024x1792"}'}),
    ("0.006668", FIRST | {"deployment": "router"}),
    ("0", {"http_status": 429}),
]


@pytest.mark.parametrize(("place", "amount", "call"), [(place, *one) for place, one in enumerate(TEN)])
def test_the_ten_calls_of_the_page_come_to_what_it_says(place: int, amount: str, call: dict[str, Any]) -> None:
    section = PAGE.read_text(encoding="utf-8").split("## Ten calls by hand")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][1:]
    october = {"occurred_at": "2026-10-02T09:30:00.000Z", "usage_provenance": "reported", "http_status": 200}

    charged = charge_of(october | {"deployment": "any"} | call, LISTED, counts=True)

    assert charged.confidence in {Confidence.EXACT, Confidence.FREE}
    assert charged.amount == Decimal(amount)
    assert lines[place].endswith(f"| {amount} |")
