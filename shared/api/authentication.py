"""The settings -> the way of telling callers apart: nobody may ask where they do not say one."""

from typing import Protocol

from shared.api.callers import Authenticator
from shared.api.local_callers import LocalAuthenticator
from shared.api.principals import PrincipalAuthenticator
from shared.errors import ConfigurationError
from shared.token_settings import TokenSettings

__all__ = ["AuthSettings", "authenticator"]


class AuthSettings(Protocol):
    """The settings that choose an authenticator."""

    @property
    def auth(self) -> str:
        """`local`, `entra` or `app-service`; empty where it is not set."""

    @property
    def in_azure(self) -> bool:
        """Whether this is the app's site in Azure."""

    @property
    def signs_in(self) -> bool:
        """Whether App Service authentication stands before the app."""

    @property
    def tokens(self) -> TokenSettings:
        """Whose tokens count."""

    @property
    def needs_purpose(self) -> bool:
        """Whether who reads texts must say why."""

    @property
    def needs_grant(self) -> bool:
        """Whether who reads texts must have a grant for a case."""

    @property
    def rate_limit(self) -> int:
        """Requests a minute that each caller may send; 0: as many as they like."""

    @property
    def local_token(self) -> str:
        """What local callers send where no peer address is known; empty: they are refused there."""


def authenticator(settings: AuthSettings) -> Authenticator:
    """Return the way of telling callers that the settings choose.

    Raises:
        ConfigurationError: it is not set who may ask, or whose tokens count; or anybody could send the headers
            that tell: local ones in Azure, those of App Service authentication where it is off.
    """
    if settings.auth in {"entra", "app-service"} and not settings.tokens.tenant_ids:
        raise ConfigurationError(f"PROMPTLEDGER_TENANT_ID is not set: PROMPTLEDGER_AUTH={settings.auth} needs it")
    if settings.auth == "entra":
        if not settings.tokens.audiences:
            raise ConfigurationError("PROMPTLEDGER_AUDIENCE is not set: PROMPTLEDGER_AUTH=entra needs it")
        from shared.api.tokens import TokenAuthenticator  # noqa: PLC0415  # loads cryptography

        return TokenAuthenticator(settings.tokens)
    if settings.auth == "app-service":
        if not settings.signs_in:
            raise ConfigurationError("PROMPTLEDGER_AUTH=app-service needs App Service authentication, which is off")
        return PrincipalAuthenticator(settings.tokens.tenant_ids)
    if settings.auth != "local":
        raise ConfigurationError("PROMPTLEDGER_AUTH is not set: say `entra`, or `local` on a developer's machine")
    if settings.in_azure:
        raise ConfigurationError("PROMPTLEDGER_AUTH=local is for a developer's machine; it does not start in Azure")
    return LocalAuthenticator(settings.local_token)
