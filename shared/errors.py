"""Every error this app raises on purpose, and what happens next.

* AppError
  x EventError             permanent   the event goes to quarantine, the batch goes on
  x StoreUnavailableError  transient   tried again for some seconds, then raised: the trigger's retry policy repeats it
    x ConflictError        transient   another host changed the same row: tried again at once
    x StoreRefusedError    operator    raised at once: somebody must mend the store; the trigger's retry policy waits
  x NotFoundError          caller      404
  x InvalidRequestError    caller      400, naming the parameter
  x ForbiddenError         caller      403, naming the role
    x LimitedRoleError     caller      403, naming the role
  x NotPossibleError       caller      409, saying why not now
  x TooManyInvalidError    suspicious  raise: a bad deployment must not drain a good stream into quarantine
  x InvalidFileError       operator    the command fails, naming the line; nothing of the file was loaded
  x ForwardingError        transient   logged; the calls stay marked, and are told of later
  x WebhookError           transient   noted with the alert, which is sent again later
  x ConfigurationError     operator    fail the first call, naming the setting; the audit API answers 503
"""

__all__ = [
    "AppError",
    "ConfigurationError",
    "ConflictError",
    "EventError",
    "ForbiddenError",
    "ForwardingError",
    "InvalidFileError",
    "InvalidRequestError",
    "LimitedRoleError",
    "NotFoundError",
    "NotPossibleError",
    "StoreRefusedError",
    "StoreUnavailableError",
    "TooManyInvalidError",
    "WebhookError",
]


class AppError(Exception):
    """Base of every error raised on purpose."""


class EventError(AppError):
    """An event can never be understood. The message is the reason kept with it in quarantine."""


class StoreUnavailableError(AppError):
    """A store did not take a batch or answer a question; trying again may help."""


class ConflictError(StoreUnavailableError):
    """Another transaction changed one of the batch's interactions first; nothing was written."""


class StoreRefusedError(StoreUnavailableError):
    """A store refuses, and will until somebody mends it: no room, no right, no such table. Nothing was written."""


class NotFoundError(AppError):
    """The ledger does not hold what the caller wants."""


class InvalidRequestError(AppError):
    """The caller's request cannot be answered; `parameter` names what is wrong with it."""

    def __init__(self, parameter: str, detail: str) -> None:
        """Name the `parameter` (query, path or header) and say in `detail` what it must be."""
        super().__init__(f"{parameter}: {detail}")
        self.parameter = parameter
        self.detail = detail


class ForbiddenError(AppError):
    """The caller lacks a role; `role` names it."""

    def __init__(self, role: str) -> None:
        """Name the missing app `role`, such as `Content.Read`."""
        super().__init__(f"this needs the role {role}")
        self.role = role


class LimitedRoleError(ForbiddenError):
    """The caller's role extends to some calls alone, and the answer would be about all."""

    def __init__(self, role: str) -> None:
        """Name the app `role`."""
        super().__init__(role)
        self.args = (f"this needs the role {role} for all calls, and yours is limited to some",)


class InvalidFileError(AppError):
    """A file of prices or deployments cannot be loaded; the message names the line and says why."""


class NotPossibleError(AppError):
    """The ledger does not stand so that this can be done; the message says what must be done first."""


class TooManyInvalidError(AppError):
    """So much of a batch cannot be read that the fault may be ours; nothing was written, the partition waits."""


class ConfigurationError(AppError):
    """A setting is missing or cannot be read; the message names it, never its value if secret."""


class ForwardingError(AppError):
    """Nobody is sure that calls were taken; the message holds nothing of the address."""


class WebhookError(AppError):
    """A webhook did not take an alert; the message says why, and holds nothing of its address."""
