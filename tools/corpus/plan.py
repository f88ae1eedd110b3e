"""The plan: which sentence is spoken by which voice, how, and in which scene.

Rows come in pairs, one of each class, with the same voice, rate, pitch, level and scene and texts
of about the same length: whatever is not words or a way of speaking is balanced by construction.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tools.corpus.clip import PlannedClip
from tools.corpus.context import CONTEXT_SHARE, draw_context
from tools.corpus.folds import FOLD_SHARES, FOLDS
from tools.corpus.own_texts import names, with_device_name
from tools.corpus.room import AWAY_SHARE
from tools.corpus.scene import GivenSound, Scenery
from tools.corpus.style import Style, draw_styles, restyled, spoken
from tools.corpus.text_item import DIRECTED, NOT_DIRECTED, TextItem
from tools.corpus.text_sources import BY_NAME, KINDS, TextSources
from tools.corpus.voices import VOICES, Voice

KIND_SHARES = {
    "plain": 0.585,
    "hard": 0.165,
    "name": 0.15,
    "television": 0.07,
    "follow_up": 0.03,
}
"""Shares of the pairs."""
NAMED_SHARE = 0.5
"""Share of plain pairs heard by a device with a name (not spoken in them)."""
RATE_RANGE = (0.85, 1.25)
PITCH_RANGE = (0.86, 1.18)
TONE_RANGE = (-2.5, 2.5)
LEVEL_RANGE_DB = (-32.0, -20.0)
BACKGROUND_TALKERS = 40
"""Sentences per fold that are heard behind the clips, one alone or several as babble."""
_CHARACTERS_PER_S = 18.9


class Planner:
    """Draws balanced pairs from `items`; the same seed draws the same pairs."""

    def __init__(
        self,
        items: list[TextItem],
        seed: int,
        noises: Sequence[GivenSound] = (),
        responses: Sequence[GivenSound] = (),
    ) -> None:
        """Draw from `items` by `seed`; noises and room responses are used beside simulated ones."""
        self._rng = random.Random(seed)
        self.scenery = Scenery(self._rng, noises, responses)
        self.texts = TextSources(items, self._rng)
        self._decks: dict[str, list[Voice]] = {fold: [] for fold in FOLDS}
        self.background = {
            fold: [
                self._clip(at, self.texts.any(fold, NOT_DIRECTED))
                for at in range(BACKGROUND_TALKERS)
            ]
            for fold in FOLDS
        }
        """People talking, by fold; scenes name them by their place."""

    def clips(self, hours: float) -> Iterator[PlannedClip]:
        """Yield clips, pair by pair, until they last about `hours`."""
        left_s, number = hours * 3600, 0
        while left_s > 0:
            for clip in self._pair(number):
                spoken_s = len(clip.item.text) / _CHARACTERS_PER_S / clip.rate + 0.14
                left_s -= spoken_s + clip.scene.lead_s + clip.scene.trail_s
                number += 1
                yield clip

    def _pair(self, number: int) -> list[PlannedClip]:
        rng = self._rng
        fold = rng.choices(FOLDS, [FOLD_SHARES[fold] for fold in FOLDS])[0]
        kind = rng.choices(KINDS, [KIND_SHARES[kind] for kind in KINDS])[0]
        device_name = rng.choice(names("names", fold)) if rng.random() < NAMED_SHARE else None
        items = [with_device_name(item, device_name) for item in self.texts.pair(fold, kind)]
        like = self._clip(number, items[0])
        strangers = [
            at for at, other in enumerate(self.background[fold]) if other.voice != like.voice
        ]
        channel = "loudspeaker" if kind == "television" else "air"
        like = replace(like, scene=self.scenery.draw(fold, strangers, channel))
        styles = draw_styles([item.label for item in items], rng)
        in_session = rng.random() < CONTEXT_SHARE
        members = list(zip(items, styles, strict=True))
        rng.shuffle(members)
        return [
            self._member(replace(like, number=number + at, item=item), style, in_session)
            for at, (item, style) in enumerate(members)
        ]

    def _clip(self, number: int, item: TextItem) -> PlannedClip:
        """Return a clip of `item` by a random voice, in the plain way and without a scene."""
        rng = self._rng
        voice = self._voice(item.fold)
        rate, pitch = (
            math.exp(rng.uniform(math.log(low), math.log(high)))
            for low, high in (RATE_RANGE, PITCH_RANGE)
        )
        level_db, tone = rng.uniform(*LEVEL_RANGE_DB), rng.uniform(*TONE_RANGE)
        return PlannedClip(
            number,
            item,
            voice,
            rate=round(rate, 3),
            pitch=round(pitch, 3),
            level_db=round(level_db, 1),
            tone=round(tone, 2) if voice.tone else 0.0,
        )

    def _member(self, clip: PlannedClip, style: Style | None, in_session: bool) -> PlannedClip:
        """Return a member of a pair with what is its own: style, look, and what came before."""
        item = clip.item
        if style is not None:
            clip = self._styled(clip, style)
        if clip.scene.room is not None and clip.scene.channel == "air":
            away = self._rng.random() < AWAY_SHARE[item.label]
            clip = replace(clip, facing="away" if away else "device")
        if in_session or item.previous_text:
            previous = item.previous_text or self.texts.any(item.fold, DIRECTED).text
            at_once = item.previous_text is not None
            clip = replace(clip, context=draw_context(item.label, previous, at_once, self._rng))
        return clip

    def _styled(self, clip: PlannedClip, style: Style) -> PlannedClip:
        item = clip.item
        if item.source not in BY_NAME:
            text = restyled(item.text, style.name, self._rng)
            if self.texts.stays(text, item.fold):
                item = replace(item, text=text)
        return replace(
            clip,
            item=item,
            spoken=spoken(item.text, style.name, self._rng),
            style=style,
            rate=round(clip.rate * style.rate, 3),
            level_db=round(clip.level_db + style.level_db, 1),
        )

    def _voice(self, fold: str) -> Voice:
        """Deal from a shuffled deck, so that each voice keeps its share at any corpus size."""
        deck = self._decks[fold]
        if not deck:
            deck.extend(v for v in VOICES if v.fold == fold for _ in range(round(v.share * 10)))
            self._rng.shuffle(deck)
        return deck.pop()
