"""The audit API: a FastAPI application over `shared.services.audit`."""
