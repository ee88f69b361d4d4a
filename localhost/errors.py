"""What goes wrong in front of a person at a terminal: one sentence, no traceback, exit code 2."""

__all__ = ["UsageError"]


class UsageError(Exception):
    """The command cannot do its work; the message says what to change."""
