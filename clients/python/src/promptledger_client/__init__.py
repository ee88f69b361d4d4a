"""Typed client of PromptLedger's audit API."""

from promptledger_client.client import PromptLedger
from promptledger_client.credentials import EntraAuth, LocalAuth
from promptledger_client.problems import (
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    NotPossibleError,
    NotSignedInError,
    ProblemError,
    TooManyRequestsError,
    UnavailableError,
)
from promptledger_client.transport import TextAnswer

__all__ = [
    "EntraAuth",
    "ForbiddenError",
    "InvalidRequestError",
    "LocalAuth",
    "NotFoundError",
    "NotPossibleError",
    "NotSignedInError",
    "ProblemError",
    "PromptLedger",
    "TextAnswer",
    "TooManyRequestsError",
    "UnavailableError",
]
