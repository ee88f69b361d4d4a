"""Sample traffic: an hour of a small company's calls, as each source reports them.

One module per source: `native`, `enterprise_logging`, `ai_hub_gateway`, `azure_monitor`, `others` for
the small ones, and `noise` for what speaks of no call. To add a source: a module with a function from
a `Call` to `Sent` events, and a line in `mix`.
"""
