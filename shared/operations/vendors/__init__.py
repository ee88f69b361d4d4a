"""The APIs of other vendors than OpenAI that the same gateway serves; one module each."""

from typing import Final

from shared.operations.api import Api
from shared.operations.vendors import anthropic, bedrock, google

__all__ = ["APIS"]

APIS: Final[tuple[Api, ...]] = (anthropic.API, google.API, bedrock.API)
