"""What ends a run, and what it means for whoever runs it.

* CaptureError
  x NotUnderstoodError   a policy that cannot be read for certain: it is left as it is
  x RefusedError         attach or detach knows why it must not go on; nothing was changed
  x ChangedError         somebody changed a resource since it was read: run again
  x ManagementError      the management API said no, or did not answer
"""

__all__ = ["CaptureError", "ChangedError", "ManagementError", "NotUnderstoodError", "RefusedError"]


class CaptureError(Exception):
    """Any error that is told in a sentence, without a traceback."""


class NotUnderstoodError(CaptureError):
    """A policy that cannot be read for certain, with line and column."""


class RefusedError(CaptureError):
    """What must not be done, and why."""


class ChangedError(CaptureError):
    """A resource is not what it was when it was read."""


class ManagementError(CaptureError):
    """The management API's refusal: status, code and message as it gave them."""

    def __init__(self, message: str, *, status: int = 0, code: str = "") -> None:
        """Keep status and code: 0 and nothing where no answer came."""
        super().__init__(message)
        self.status, self.code = status, code
