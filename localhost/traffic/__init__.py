"""Sample traffic: an hour of a small company's calls, as each source reports them.

`native` is our own policy's, `azure_monitor` the diagnostic settings', `others` has the policies of others, and `mix`
puts them together. To add a source: a function from a `Call` to `Sent` events, and a line in `mix`.
"""
