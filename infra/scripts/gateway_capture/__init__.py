"""Capture for an API Management that is there already: what `attach` and `detach` do. docs/attach.md.

Python's own library alone: it runs wherever Python 3.11 and a signed-in Azure CLI are.
"""
