"""Who issues a tenant's tokens: Entra of each cloud, in version 2 and 1.

Source: the `issuer` of each cloud's OpenID configuration, and of version 1 the authority of its security token service.
"""

from typing import Final

__all__ = ["issuers_of", "issuers_under"]

_CHINA: Final = ("https://login.partner.microsoftonline.cn/{}/v2.0", "https://sts.chinacloudapi.cn/{}/")
_OF_CLOUD: Final = {
    "https://login.microsoftonline.com": (
        "https://login.microsoftonline.com/{}/v2.0",
        "https://sts.windows.net/{}/",
    ),
    "https://login.microsoftonline.us": (
        "https://login.microsoftonline.us/{}/v2.0",
        "https://sts.windows.net/{}/",
    ),
    "https://login.partner.microsoftonline.cn": _CHINA,
    "https://login.chinacloudapi.cn": _CHINA,
}
"""Authority of a cloud -> its issuers, with a place for the tenant's id."""


def issuers_of(tenant_id: str) -> frozenset[str]:
    """Return every issuer of a tenant, whichever cloud it is in."""
    return frozenset(issuer.format(tenant_id) for issuers in _OF_CLOUD.values() for issuer in issuers)


def issuers_under(authority: str, tenant_id: str) -> frozenset[str]:
    """Return the issuers of a tenant under one authority: version 2 alone where that is no cloud of Microsoft's."""
    return frozenset(issuer.format(tenant_id) for issuer in _OF_CLOUD.get(authority, (f"{authority}/{{}}/v2.0",)))
