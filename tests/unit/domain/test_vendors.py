"""Whose model it is."""

import pytest

from shared.domain.vendors import VENDORS, vendor_of


@pytest.mark.parametrize(
    ("model", "operation", "vendor"),
    [
        ("gpt-4o-2024-11-20", "chat.completions", "openai"),
        ("ft:gpt-4o-mini-2024-07-18:org:name:id", "chat.completions", "openai"),
        ("openai.gpt-oss-120b-1:0", "converse", "openai"),
        ("model-router", "chat.completions", "openai"),
        ("claude-sonnet-4-5", "messages", "anthropic"),
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", "converse", "anthropic"),
        ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-v1:0", "invoke", "anthropic"),
        ("arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0", "converse", "amazon"),
        ("projects/p/locations/l/publishers/google/models/gemini-2.5-pro", "generateContent", "google"),
        ("google/gemini-2.5-flash", "chat.completions", "google"),
        ("Mistral-Large-2411", "chat.completions", "mistral"),
        ("DeepSeek-R1-0528", "chat.completions", "deepseek"),
        ("grok-4", "chat.completions", "xai"),
        ("Cohere-command-a", "chat.completions", "cohere"),
        ("azureml://registries/azureml-meta/models/Llama-3.3-70B-Instruct", "chat.completions", "meta"),
        ("Phi-4", "chat.completions", "other"),
        ("my-alias", "messages", "anthropic"),
        (None, "generateContent", "google"),
        (None, "chat.completions", None),
        ("", None, None),
    ],
)
def test_the_vendor_follows_from_the_name_and_the_api(
    model: str | None, operation: str | None, vendor: str | None
) -> None:
    assert vendor_of(model, operation) == vendor


def test_every_vendor_is_a_value_of_the_filter() -> None:
    expected = {"openai", "anthropic", "google", "amazon", "mistral", "deepseek", "xai", "cohere", "meta", "other"}

    assert set(VENDORS) >= expected
