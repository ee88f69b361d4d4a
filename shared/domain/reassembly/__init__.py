"""Bodies that come in several events, or wait in Blob storage: which chunks belong together, and what is missing.

`keys` is how a document's key says that it is a chunk, and the only place that knows its written form; `chunks`
finds what can be put together; `claim_checks` says what a claim check is and why it may not be met. How a format
cuts bodies, and what its chunks say together, its source knows.
"""
