"""The client: all operations over the transport."""

from promptledger_client.operations import Operations

__all__ = ["PromptLedger"]


class PromptLedger(Operations):
    """A client of the audit API at one address; several threads may share it.

    PromptLedger("http://127.0.0.1:7071", LocalAuth(user="ada"))
    PromptLedger("https://ledger.example.org", EntraAuth(credential, "api://CLIENT-ID/.default"), case_id="C-7")
    """
