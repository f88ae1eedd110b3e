"""The report of a judge as a page of Markdown: figures first, what they are worth beside them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tools.judge.figures import LIMITED

_WAYS = {
    "recorded": "As recorded",
    "channel": "Both classes through the same random channel",
    "alike": "The same channel and speech of one length, recognized anew",
}
_SETS = {
    "as_given": "words and cuts as given",
    "recut": "cut out alike, shared callers",
    "recut_matched": "the same, as many of each word",
    "recut_test": "the same, test callers only",
}
_MODES = {
    "probe": "content-free probe",
    "fused": "fused, true word",
    "fused_no_name": "fused, name not given",
    "audio": "audio only",
    "fused_recognized": "fused, recognized",
    "text_recognized": "text only, recognized",
}


def percent(value: float | None) -> str:
    """Return a fraction as the page writes it."""
    return "–" if value is None else f"{100 * value:.1f} %"


def with_range(found: Mapping[str, Any] | None, key: str = "eer") -> str:
    """Return a figure with its interval."""
    if found is None or found[key] is None:
        return "–"
    ends = found["ci95"].get(key)
    said = "" if ends is None else f" ({100 * ends[0]:.1f}–{100 * ends[1]:.1f})"
    return f"{percent(found[key])}{said}"


def page(report: Mapping[str, Any], plots: Iterable[str]) -> str:
    """Return the page; `plots` are the names of the pictures beside it."""
    pictures = set(plots)

    def picture(name: str, text: str) -> list[str]:
        return [f"![{text}]({name})", ""] if name in pictures else []

    run = report["run"]
    parts = [
        f"# Report on {run['packages'][0]['name']}",
        "",
        f"{run['recordings']} recordings, {run['with_recognized_text']} of them with a "
        "recognizer's text. Brackets: 95 % intervals, bootstrap over groups of speakers.",
        "",
        *_packages(run["packages"]),
        *_bars(report["bars"]),
        *_pairs(report["pairs"]),
        *picture("pairs.png", "Equal error rates of pairs"),
        *_called(report["called_or_mentioned"]),
        *picture("called.png", "Called or mentioned"),
        *_conditions(report["conditions"]),
        *picture("conditions.png", "Equal error rates under conditions"),
        *_short(report["short"]),
        *_names(report["names"]),
        *_calibration(report["calibration"]),
        *picture("reliability_recorded.png", "Reliability, as recorded"),
        *picture("reliability_channel.png", "Reliability, through the random channel"),
        *_matrix(),
        *picture("matrix_recorded.png", "All pairs as recorded"),
        *picture("matrix_channel.png", "All pairs through the random channel"),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return [*("| " + " | ".join(line) + " |" for line in lines), ""]


def _packages(packages: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [
        [
            one["name"],
            f"`{one['turbo_json_sha256'][:12]}`",
            ", ".join(one["left_out"]) or "–",
            ", ".join(one["trained_on"]) or "not known",
            "not stated" if one["chosen_by"] is None else ", ".join(one["chosen_by"]) or "–",
        ]
        for one in packages
    ]
    return _table(["package", "turbo.json", "left out", "trained on", "chosen by"], rows)


def known_sides(pair: Mapping[str, Any]) -> str:
    """Return the collections of a pair that its package knows, as a table has them."""
    chose = [f"{name} (chose)" for name in pair["chose"]]
    return ", ".join([*pair["met"], *chose]) or "neither"


def known_items(found: Mapping[str, Any]) -> str:
    """Return how many items a package knows, as a table has them."""
    return f"{found['met']} ({found['chose']} chose)" if found["chose"] else str(found["met"])


def _bars(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = []
    for line in lines:
        said = {True: "reached", False: "not reached", None: "–"}[line["reached"]]
        known = " (on what it knows)" if line["reached"] and line["known"] else ""
        rows.append(
            [line["what"], percent(line["wanted"]), percent(line["measured"]), said + known]
        )
    return [
        "## The bars",
        "",
        "Set before anything was measured; each figure is to be at most what is wanted.",
        "",
        *_table(["figure", "wanted", "measured", ""], rows),
    ]


def _pairs(pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    parts = [
        "## Pairs of collections",
        "",
        "Equal error rates. *Met* names the collections of the pair that the package was trained "
        "on, or that chose its weights, its calibration or its thresholds (chose): such a row "
        "proves little, for it may know the collection and not the intent. The "
        "probe hears no words, only length, margins, level, noise and spectrum, and is "
        "cross-validated on the pair itself. FA@5 is the share of false accepts where 5 % of "
        "directed speech is rejected. The device has no name, but for the columns *with a name*: "
        "one that nobody says, drawn for both classes alike. Names that only one class has would "
        "tell the class.",
        "",
    ]
    for way, title in _WAYS.items():
        rows = [
            [
                f"{pair['directed']} × {pair['not_directed']}",
                str(pair[way]["audio"]["n"]),
                known_sides(pair),
                *(with_range(pair[way][mode]) for mode in ("probe", "audio", "text", "fused")),
                with_range(pair[way]["fused"], LIMITED),
                *(with_range(pair[way][mode]) for mode in ("text_named", "fused_named")),
            ]
            for pair in pairs
        ]
        header = ["pair", "items", "met", "probe", "audio", "text", "fused", "FA@5, fused"]
        header += ["text, with a name", "fused, with a name"]
        parts += [f"### {title}", "", *_table(header, rows)]
    return parts


def _called(sets: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if not sets:
        return []
    modes = [mode for mode in _MODES if any(mode in found for found in sets.values())]
    rows = []
    for name, found in sets.items():
        counted = found["fused"]
        rows.append(
            [
                _SETS[name],
                f"{counted['n_directed']} + {counted['n'] - counted['n_directed']}",
                known_items(found),
                *(with_range(found.get(mode)) for mode in modes),
            ]
        )
    return [
        "## The same word, called out or merely mentioned",
        "",
        "Equal error rates on callers with both classes. *Met* counts items that the package was "
        "trained on; in brackets those that chose its weights, its calibration or its thresholds.",
        "",
        *_table(["set", "items", "met", *(_MODES[mode] for mode in modes)], rows),
    ]


def _conditions(found: Mapping[str, Any]) -> list[str]:
    if not found:
        return []
    rows = [
        [
            name,
            *(with_range(row[key]) for key in ("clean", "under")),
            *(percent(row[key][rate]) for rate in _RATES for key in ("clean", "under")),
        ]
        for name, row in found["rows"].items()
    ]
    first = next(iter(found["rows"].values()))["clean"]
    rates = ["false accepts, clean", "under", "false rejects, clean", "under"]
    return [
        "## Hard conditions",
        "",
        f"{first['n']} recordings, {first['n_directed']} of them directed; {known_items(found)} of "
        "collections that their package has met. Both rates are at the threshold of "
        f"`balanced`. Text of altered sound: {found['text_of_altered_sound']}.",
        "",
        *_table(["condition", "EER, clean", "EER, under it", *rates], rows),
    ]


_RATES = ("false_accept", "false_reject")


def _short(found: Mapping[str, Any]) -> list[str]:
    rows = [
        [
            name,
            f"{found[key]['n_directed']} + {found[key]['n'] - found[key]['n_directed']}",
            known_items(found[key]),
            with_range(found[key]),
            with_range(found[key], LIMITED),
            *(with_range(found[key], rate) for rate in _RATES),
        ]
        for key, name in (("short", f"at most {found['words']} words"), ("longer", "longer"))
    ]
    kinds = [
        [kind, str(row["n"]), known_items(row), percent(row["share"])]
        for kind, row in found["accepted"].items()
    ]
    return [
        "## Short utterances",
        "",
        *_table(
            ["utterances", "items", "met", "EER", "FA@5", "false accepts", "false rejects"], rows
        ),
        "Directed speech accepted at `balanced`:",
        "",
        *_table(["kind", "items", "met", "accepted"], kinds),
    ]


def _names(found: Mapping[str, Any]) -> list[str]:
    if not found:
        return []
    parts = [
        "## What the device is called",
        "",
        "Share accepted at `balanced`, by the name that the device is told. A call under another "
        "device's name is not for this device: it should fall.",
        "",
    ]
    for key, title in (("fused", "sound and words"), ("text", "true words alone")):
        rows = [
            [
                kind,
                str(row["n"]),
                known_items(row),
                *(percent(row[given]["accepted"]) for given in ("own", "none", "other")),
            ]
            for kind, row in found[key]["rows"].items()
        ]
        header = [title, "items", "met", "its name", "no name", "another's name"]
        parts += _table(header, rows)
        separations = [
            [
                name,
                f"{row['n']} by {row['packages']}",
                percent(row["eer"]),
                percent(row[LIMITED]),
            ]
            for name, row in found[key]["separations"].items()
        ]
        parts += _table([title, "scores, packages", "EER", "FA@5"], separations)
    return parts


def _calibration(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    parts = [
        "## Calibration",
        "",
        "Expected calibration error in 15 bins of equal width, over the items as they are. Beside "
        "it the same with both classes weighted alike: the package's probabilities are for as "
        "much directed speech as other.",
        "",
        *_table(
            ["sound", "items", "met", "error", "classes alike"],
            [
                [
                    _WAYS[way],
                    str(one["figures"]["n"]),
                    known_items(one),
                    with_range(one["figures"], "ece"),
                    percent(one["ece_balanced"]),
                ]
                for way, one in found.items()
            ],
        ),
    ]
    rows = [
        [
            f"`{name}`, {_WAYS[way].lower()}",
            *(percent(point[side][rate]) for rate in _RATES for side in ("promised", "measured")),
        ]
        for way, one in found.items()
        for name, point in one["operating_points"].items()
    ]
    header = ["point", "false accepts, promised", "measured", "false rejects, promised", "measured"]
    return [*parts, *_table(header, rows)]


def _matrix() -> list[str]:
    return [
        "## Every directed against every other collection",
        "",
        "Equal error rate of the fused model in percent, in brackets that of the probe; a dot for "
        "each of both collections that the package was trained on, a ring for each that chose it.",
        "",
    ]
