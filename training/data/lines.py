"""JSON lines, plain or gzipped."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from turbo_stream.errors import InputError


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSONL file, or of a `.gz` one.

    Raises:
        InputError: the file cannot be read, or a line is no JSON object; the message names it.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise InputError(f"{path}, line {number} is no JSON object; give one a line")
                yield row
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path} cannot be read ({reason}); check the path") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text; give one JSON object a line") from error
    except (ValueError, RecursionError) as error:
        reason = f"line {number} is no JSON ({getattr(error, 'msg', None) or error})"
        raise InputError(f"{path}, {reason}; give one JSON object a line") from error
