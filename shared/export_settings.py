"""Where the files of exports are, and for how long: a Blob account, an emulator of one, or a folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from shared.errors import ConfigurationError
from shared.setting_values import number_in

__all__ = ["ExportSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSettings:
    """At most one of the first three is set; without them no exports are made."""

    url: str = ""
    """Of a Blob endpoint, where the app's identity signs in."""
    connection_string: str | None = field(default=None, repr=False)
    """Of an emulator on this machine."""
    folder: Path | None = None
    container: str = "exports"
    hours: int = 24
    days: int = 7

    @classmethod
    def read(cls, environment: Mapping[str, str], *, in_azure: bool) -> "ExportSettings":
        """Read the settings from `environment`.

        Raises:
            ConfigurationError: one is malformed, or not fit for Azure; the message names it.
        """
        place = environment.get("PROMPTLEDGER_EXPORTS", "").strip()
        is_key, is_url = "AccountKey=" in place, "://" in place
        if in_azure and place and (is_key or not is_url):
            raise ConfigurationError("PROMPTLEDGER_EXPORTS must be a Blob endpoint in Azure, where identity signs in")
        if is_url and not is_key and not (urlsplit(place).scheme == "https" and urlsplit(place).hostname):
            raise ConfigurationError("PROMPTLEDGER_EXPORTS is no https URL of a Blob endpoint")
        return cls(
            url=place if is_url and not is_key else "",
            connection_string=place if is_key else None,
            folder=Path(place) if place and not is_key and not is_url else None,
            container=environment.get("PROMPTLEDGER_EXPORT_CONTAINER", "").strip() or "exports",
            hours=number_in(environment, "PROMPTLEDGER_EXPORT_HOURS", int, 24, least=1),
            days=number_in(environment, "PROMPTLEDGER_EXPORT_DAYS", int, 7, least=1, most=365),
        )
