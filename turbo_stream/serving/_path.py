"""At which address a request was made."""

from starlette.types import Scope


def path_of(scope: Scope) -> str:
    """Return the path within this application; mounted in another, `path` begins with where."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
