"""Where the repository and its shipped recording are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KITCHEN = ROOT / "examples" / "kitchen.flac"
