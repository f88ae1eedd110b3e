"""The voices of Kokoro-82M: 28 English ones, 26 of other languages reading English, and blends.

A blend is a weighted mean of two voices of one fold: somebody else, who is heard on that side only.
"""

import random
from collections.abc import Iterator

from tools.corpus.text_collections import FOLDS
from tools.corpus.voices import Voice

_LICENSE = "Apache-2.0 (Kokoro-82M), MIT (its INT8 export)"

# Namesakes of several languages ("santa", "alex") may be one speaker: one side.
_ENGLISH = {
    "train": "af_alloy af_aoede af_bella af_heart af_jessica af_kore af_nicole af_river af_sky "
    "am_adam am_echo am_fenrir am_michael am_onyx am_puck am_santa "
    "bf_emma bf_isabella bm_fable bm_george",
    "dev": "af_nova am_liam bf_lily bm_daniel",
    "test": "af_sarah am_eric bf_alice bm_lewis",
}

_OTHERS = {
    "train": "em_santa ff_siwis hf_alpha hf_beta hm_omega im_nicola jf_alpha jf_gongitsune "
    "jf_nezumi jf_tebukuro pm_santa zf_xiaobei zf_xiaoxiao zf_xiaoyi zm_yunjian zm_yunxi "
    "zm_yunxia zm_yunyang",
    "dev": "em_alex pm_alex if_sara zf_xiaoni",
    "test": "ef_dora pf_dora hm_psi jm_kumo",
}

_BLENDS = {"train": 40, "dev": 8, "test": 8}

_ENGLISH_SHARE, _OTHER_SHARE, _BLEND_SHARE = 0.5, 0.3, 0.3
_SHARE_FACTORS = {"train": 1.0, "dev": 2.6, "test": 3.6}
"""So that beside the classic voices three quarters of the clips of every fold are natural."""

_WEIGHT_RANGE = (0.5, 0.7)
"""Of the first voice of a blend."""


def _voices(fold: str) -> Iterator[Voice]:
    names = {_ENGLISH_SHARE: _ENGLISH[fold].split(), _OTHER_SHARE: _OTHERS[fold].split()}
    factor = _SHARE_FACTORS[fold]
    for share, voices in names.items():
        for name in voices:
            yield Voice(f"kokoro-{name}", "kokoro", name, fold, share * factor, _LICENSE, False)
    rng = random.Random(fold)
    drawn: set[frozenset[str]] = set()
    everybody = [name for voices in names.values() for name in voices]
    while len(drawn) < _BLENDS[fold]:
        first, second = rng.sample(everybody, 2)
        weight = round(rng.uniform(*_WEIGHT_RANGE), 2)
        if frozenset((first, second)) in drawn:
            continue
        drawn.add(frozenset((first, second)))
        yield Voice(
            f"kokoro-{first}+{second}",
            "kokoro",
            first,
            fold,
            _BLEND_SHARE * factor,
            _LICENSE,
            tone=False,
            blend=(second, round(1 - weight, 2)),
        )


KOKORO_VOICES = tuple(voice for fold in FOLDS for voice in _voices(fold))
