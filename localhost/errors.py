"""What goes wrong in front of a person at a terminal: one sentence, no traceback, exit code 2."""

__all__ = ["UsageError"]


class UsageError(Exception):
    """The command cannot do what it was asked; the message says what to change."""
