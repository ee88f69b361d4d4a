"""The dashboard: pages that ask the services what the audit API asks them, and say it to people."""
