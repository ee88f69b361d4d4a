"""Stand-ins of az, azd, sqlcmd and curl: programs for a PATH of its own, which take the commands of pages and scripts.

A stand-in refuses what the real one would: a command or option that it does not know, an option without a value or with
an empty one, a resource that nobody made, a file that is not there. It answers in the documented shapes, az with real
JMESPath. What they know of one another's doings lies in one folder, as JSON.
"""

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tests.parts.desk.estate
import tests.parts.desk.machine  # noqa: F401  # both register commands
from tests.parts.desk.azure_cli import az
from tests.parts.desk.world import APPLICATION, FOLDER, KEY, MODEL, OUTPUTS, World, fail


def azd(world: World, arguments: list[str]) -> None:
    """Take the commands of Azure Developer CLI that the pages use."""
    match arguments:
        case ["env", "new" | "select", name, *_] if name:
            world.known["azd environment"] = name
        case ["env", "set", name, value] if re.fullmatch(r"[A-Z][A-Z0-9_]*", name) and value:
            world.known.setdefault("azd", {})[name] = value
        case ["env", "get-values"] | ["up" | "provision" | "deploy" | "down" | "version", *_]:
            pass
        case ["auth", "login"] | ["config", "set", _, _]:
            pass
        case _:
            fail(f"azd: the stand-in knows no such command, or a value is empty: {arguments}")


def sqlcmd(world: World, arguments: list[str]) -> None:
    """Read the script as sqlcmd would: every variable that it names has a value."""
    values: dict[str, list[str]] = {}
    name = ""
    for word in arguments:
        if word.startswith("-"):
            name = word
            values[name] = []
        else:
            values[name].append(word)
    if unknown := set(values) - {"-b", "-S", "-d", "-G", "-i", "-v", "-U", "-Q", "-h", "-W", "--authentication-method"}:
        fail(f"sqlcmd: unknown {sorted(unknown)}")
    if values.get("-S") != [OUTPUTS["SQL_HOST_NAME"]] or values.get("-d") != ["promptledger"] or "-b" not in values:
        fail("sqlcmd: another server or database, or errors that do not count (-b)")
    if values.get("--authentication-method") == ["ActiveDirectoryManagedIdentity"]:
        who = {OUTPUTS["OPERATOR_CLIENT_ID"]: OUTPUTS["OPERATOR_PRINCIPAL_ID"]}.get("".join(values.get("-U", [])))
        if who not in world.known.get("members", []):
            fail("Login failed for user '<token-identified principal>'.")
    elif "-G" not in values:
        fail("sqlcmd: the server takes Entra sign-in alone")
    given = {one.partition("=")[0] for one in values.get("-v", []) if one.partition("=")[2]}
    for path in values.get("-i", []):
        missing = set(re.findall(r"\$\((\w+)\)", Path(path).read_text(encoding="utf-8"))) - given
        if missing:
            fail(f"'{min(missing)}' scripting variable not defined.")
    world.known.setdefault("scripts run", []).extend(values.get("-i", []))


def curl(_world: World, arguments: list[str]) -> None:
    """Answer for the gateway, whose name resolves only by what the settings say."""
    settings, url, data = curl_settings(arguments)
    sent = {
        name.lower(): value.strip()
        for name, _, value in (one.partition(":") for key, one in settings if key == "header")
    }
    found = re.fullmatch(r"https://([\w.-]+)(/\S*)", url)
    if found is None:
        fail(f"curl: (3) URL rejected: {url}")
    host, path = found.groups()
    if ("resolve", f"{host}:443:{OUTPUTS['APPLICATION_GATEWAY_ADDRESS']}") not in settings:
        fail(f"curl: (6) Could not resolve host: {host}")
    for name in (value for key, value in settings if key == "cacert"):
        if "BEGIN CERTIFICATE" not in Path(name).read_text(encoding="utf-8"):
            fail(f"curl: (77) error setting certificate file: {name}")
    sys.stdout.write(json.dumps(gateway(path, sent, data)) + "\n")


def curl_settings(arguments: list[str]) -> tuple[list[tuple[str, str]], str, str]:
    """Return what the options and files of settings say, the URL, and the body."""
    settings: list[tuple[str, str]] = []
    url, data = "", ""
    words = iter(arguments)
    for word in words:
        if word == "--config":
            source = next(words)
            text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
            settings += [(key, value) for key, value in re.findall(r'^(\w+) = "?([^"\n]+)"?$', text, re.MULTILINE)]
        elif word in ("--header", "--resolve", "--cacert"):
            settings.append((word[2:], next(words)))
        elif word == "--data":
            data = next(words)
        elif not word.startswith("-") and not url:
            url = word
        elif word not in ("--fail-with-body", "--silent", "--show-error"):
            fail(f"curl: the stand-in knows no {word}")
    return settings, url, data


def gateway(path: str, headers: dict[str, str], data: str) -> Any:
    """Return what the gateway answers a caller whom it lets in."""
    chat = path.startswith(f"/openai/deployments/{MODEL}/chat/completions?api-version=")
    audience = "https://cognitiveservices.azure.com" if chat else f"api://{APPLICATION}"
    if headers.get("authorization") != f"Bearer token for {audience}":
        fail("curl: (22) The requested URL returned error: 401")
    if chat and headers.get("api-key") == KEY and json.loads(data)["messages"]:
        return {"object": "chat.completion", "choices": [{"message": {"role": "assistant", "content": "You."}}]}
    if path == "/promptledger/v1/interactions?limit=1":
        return {"items": [{"id": "0123456789abcdef", "operation": "chat.completions"}]}
    return fail(f"curl: (22) The requested URL returned error: 404 {path}")


PROGRAMS: dict[str, Callable[[World, list[str]], None]] = {"az": az, "azd": azd, "sqlcmd": sqlcmd, "curl": curl}


def main(program: str) -> None:
    """Be one of the programs."""
    world = World(Path(os.environ[FOLDER]))
    world.note([program, *sys.argv[1:]])
    PROGRAMS[program](world, sys.argv[1:])
    world.save()
