"""Runs turbo-serve in a process that watches itself, with a recognizer that hears a canary.

Usage: `private_server.py REPORT [turbo-serve's arguments]`; what was written goes to REPORT.
"""

import json
import logging
import sys

from tests.support import privacy_child

if __name__ == "__main__":
    report, *arguments = sys.argv[1:]
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    sys.addaudithook(privacy_child.watch)
    privacy_child.hear_canaries(raising=False)
    from turbo_stream.cli.serve import main

    sys.argv = ["turbo-serve", *arguments]
    try:
        main()
    finally:
        privacy_child.watching = False
        with open(report, "w") as file:  # noqa: PTH123
            json.dump([seen for seen in privacy_child.seen if seen.startswith("open ")], file)
