"""Starts turbo-serve as the Supervisor's options say, and tells Home Assistant where it is.

python start.py COMMAND...: runs COMMAND with the options of turbo-serve behind it. Standard library
alone. `SUPERVISOR_TOKEN` and the file of options are given by the Supervisor.
"""

import json
import os
import socket
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

OPTIONS = Path(os.environ.get("TURBO_ADDON_OPTIONS", "/data/options.json"))
SUPERVISOR = os.environ.get("TURBO_ADDON_SUPERVISOR", "http://supervisor")
WYOMING = int(os.environ.get("TURBO_ADDON_WYOMING", "10300"))
LONGEST_START_S = 300


def main() -> None:
    """Announce from a child, and become the server."""
    arguments, password = server_arguments(json.loads(OPTIONS.read_text("utf-8")))
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith("SUPERVISOR")
    }
    if password:
        environment["TURBO_MQTT_PASSWORD"] = password
    if os.fork() == 0:
        announce()
        os._exit(0)
    command = sys.argv[1:]
    os.execvpe(command[0], [*command, *arguments], environment)


def server_arguments(options: dict[str, Any]) -> tuple[list[str], str | None]:
    """Return what turbo-serve is told, and the broker's password, if there is a broker."""
    arguments = ["--host", "0.0.0.0", "--wyoming", f"tcp://0.0.0.0:{WYOMING}"]
    for name in options["names"]:
        arguments += ["--name", name]
    for option in ("address", "threshold"):
        if options.get(option) is not None:
            arguments += [f"--{option}", str(options[option])]
    broker = asked("GET", "/services/mqtt") if options["mqtt"] else None
    if broker is None:
        return arguments, None
    scheme = "mqtts" if broker.get("ssl") else "mqtt"
    user = f"{quote(broker['username'], safe='')}@" if broker.get("username") else ""
    uri = f"{scheme}://{user}{broker['host']}:{broker['port']}"
    arguments += ["--mqtt", uri, "--mqtt-node", options["mqtt_node"]]
    return arguments, broker.get("password")


def announce() -> None:
    """Tell Home Assistant of the Wyoming port once somebody listens there."""
    given_up_s = time.monotonic() + LONGEST_START_S
    while time.monotonic() < given_up_s:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", WYOMING)) == 0:
                break
        time.sleep(0.5)
    uri = f"tcp://{socket.gethostname()}:{WYOMING}"
    asked("POST", "/discovery", {"service": "wyoming", "config": {"uri": uri}})


def asked(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
    """Return what the Supervisor answers; None, with a line, where it has nothing."""
    request = urllib.request.Request(
        SUPERVISOR + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {os.environ.get('SUPERVISOR_TOKEN', '')}",
            "Content-Type": "application/json",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            data: dict[str, Any] = json.load(answer).get("data") or {}
            return data
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", error)
        print(f"add-on: the Supervisor does not give {path}: {why}", file=sys.stderr, flush=True)
        return None


if __name__ == "__main__":
    main()
