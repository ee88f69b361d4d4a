"""Everything of PromptLedger that would still exist if Azure Functions did not."""
