"""The whole objective: the model's views of a batch, then the switched-on terms of their loss.

Two halves, so that what lies between them can be gathered over ranks or kept for a second pass:
`ViewsModel` makes plain tensors of a batch, `objective_terms` makes the loss of plain tensors.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.tower import Encoded, in_views
from models.turbo import Turbo
from training.data.batch import Batch
from training.objective import losses
from training.objective.config import ObjectiveConfig, Part
from training.objective.hiding import without_span, without_words
from training.objective.packing import encode_packed, in_all_views, packs_of


class Views(NamedTuple):
    """What the loss needs of V passes, as plain float32 tensors."""

    logits: Tensor
    """`[V, B, K]`, fused."""

    audio: Tensor
    """`[V, B, P]` unit vectors; P is 0 where no term is contrastive."""

    text: Tensor
    """`[V, B, P]`, likewise."""

    scale: Tensor
    """`[]`, inverse temperature."""


class Targets(NamedTuple):
    """What the loss needs of the rows, `[B]` each."""

    labels: Tensor
    text_keys: Tensor
    recording_keys: Tensor
    has_audio: Tensor
    has_text: Tensor
    matched: Tensor

    @classmethod
    def of(cls, batch: Batch) -> Targets:
        """Return the targets of `batch`."""
        return cls(
            batch.labels,
            batch.text_keys,
            batch.recording_keys,
            batch.frame_mask.amax(dim=1) > 0,
            batch.token_mask.amax(dim=1) > 0,
            batch.matched,
        )


class ViewsModel(nn.Module):
    """A Turbo and the temperature: everything that is trained, batch to `Views`.

    Raises:
        InputError: `config` contradicts itself.
    """

    def __init__(self, model: Turbo, config: ObjectiveConfig) -> None:
        super().__init__()
        config.check()
        self.model = model
        self.config = config
        start = torch.tensor(-math.log(config.temperature))
        self.log_scale = nn.Parameter(start, requires_grad=config.learn_temperature)

    @property
    def scale(self) -> Tensor:
        """Inverse temperature."""
        return self.log_scale.exp()

    @torch.no_grad()
    def confine(self) -> None:
        """Bring the temperature back between its bounds, after a step.

        A clamp of what is read would have no gradient beyond them, and leave it there for ever.
        """
        low = -math.log(self.config.max_temperature)
        high = -math.log(self.config.min_temperature)
        self.log_scale.clamp_(low, high)

    def encode(self, batch: Batch, views: int) -> tuple[Encoded, Encoded]:
        """Return sound and text of `views` passes in one forward of `views * B` rows.

        Rows i, i + B, ... share their input and not their dropout masks, nor what is hidden of
        them. What does not depend on those is made once: the fronts, and where nothing is hidden
        each tower up to its first dropout.
        """
        sounds, lines = packs_of(batch.frame_mask), packs_of(batch.token_mask)
        frames, frame_mask, of_sound = batch.frames, batch.frame_mask, views
        if self.training and self.config.hide_frames:
            frames, frame_mask = in_views(frames, views), in_views(frame_mask, views)
            frame_mask, of_sound = without_span(frame_mask, self.config.hide_frames), 1
            sounds = in_all_views(sounds, len(batch.labels), views)
        audio = encode_packed(self.model.audio_tower, frames, frame_mask, of_sound, sounds)
        states, token_mask, of_text = batch.text_states, batch.token_mask, views
        if states is None:
            states = self.model.text_front(batch.token_ids, batch.token_mask)
        if self.training and self.config.hide_words:
            states, token_mask = in_views(states, views), in_views(token_mask, views)
            words, of_text = in_views(batch.word_mask, views), 1
            token_mask = without_words(token_mask, words, self.config.hide_words)
            lines = in_all_views(lines, len(batch.labels), views)
        return audio, encode_packed(self.model.text_tower, states, token_mask, of_text, lines)

    def forward(self, batch: Batch, part: Part | None = None) -> Views:
        """Return the views of `batch`, as many as the configuration says.

        With `part` what no term of it uses has no gradient; the dropout masks are the same.
        """
        count = self.config.views
        audio, text = self.encode(batch, count)
        with torch.set_grad_enabled(torch.is_grad_enabled() and part != "contrast"):
            logits = self.model.fusion(audio, text, batch.confidence.repeat(count, 1)).float()
        if self.config.contrastive and part != "classes":
            sound = self.model.audio_projection(audio.pooled)
            words = self.model.text_projection(text.pooled)
            scale = self.scale
        else:  # what no term uses is not worth its time, and must not wait for a gradient
            sound = words = logits.new_zeros(len(logits), 0)
            scale = self.scale.detach()
        size = len(batch.labels)
        logits, sound, words = (part.reshape(count, size, -1) for part in (logits, sound, words))
        return Views(logits, sound, words, scale)


def objective_terms(
    views: Views, targets: Targets, config: ObjectiveConfig, part: Part | None = None
) -> dict[str, Tensor]:
    """Return every term that is switched on, and their weighted sum under `loss`.

    With `part` those of one part alone: the sums of both are that of the whole.
    """
    terms: dict[str, Tensor] = {}
    sums = []
    if part != "contrast":
        terms |= _of_classes(views, targets, config)
        sums.append(_sum_of(terms, {"ce": 1.0, "r_drop": config.r_drop}))
    if part != "classes" and config.contrastive:
        contrast = _of_projections(views, targets, config)
        weights = {"cross": config.cross_modal}
        weights |= dict.fromkeys(("in_audio", "in_text"), config.in_modal)
        weights |= dict.fromkeys(("sup_audio", "sup_text"), config.sup_con)
        sums.append(_sum_of(contrast, weights))
        terms |= contrast
    return {"loss": torch.stack(sums).sum(), **terms}


def _sum_of(terms: dict[str, Tensor], weights: dict[str, float]) -> Tensor:
    """Return the weighted sum of `terms`."""
    return torch.stack([weights[name] * value for name, value in terms.items()]).sum()


def _of_classes(views: Views, targets: Targets, config: ObjectiveConfig) -> dict[str, Tensor]:
    """Return the terms of what is decided."""
    terms = {"ce": losses.cross_entropy(views.logits, targets.labels)}
    if config.r_drop:
        terms["r_drop"] = losses.r_drop(views.logits)
    return terms


def _of_projections(views: Views, targets: Targets, config: ObjectiveConfig) -> dict[str, Tensor]:
    """Return the contrastive terms.

    A row without sound or without text takes no part in the terms of what it lacks; a row whose
    words are not those of its sound takes none in what joins the two, nor does its sound in what
    follows from its label, for that is the words'.
    """
    has_audio, has_text, matched = targets.has_audio, targets.has_text, targets.matched
    columns = [targets.text_keys] * config.mask_same_text
    columns += [targets.recording_keys] * config.mask_same_recording
    columns += [targets.labels] * config.mask_same_label
    keys = torch.stack(columns, dim=1) if columns else targets.labels.new_zeros(len(matched), 0)
    scale, chunk = views.scale, config.loss_chunk
    terms = {}
    if config.in_modal:
        for name, vectors, rows in (
            ("in_audio", views.audio, has_audio),
            ("in_text", views.text, has_text),
        ):
            terms[name] = losses.in_modal(vectors[:, rows], scale, keys=keys[rows], chunk=chunk)
    if config.cross_modal:
        rows = has_audio & has_text & matched
        text = views.text[:, rows]
        if config.shuffle_pairs:
            text = text[:, partners(targets.recording_keys[rows])]
        terms["cross"] = losses.cross_modal(
            views.audio[:, rows], text, scale, keys=keys[rows], chunk=chunk
        )
    if config.sup_con:
        for name, vectors, rows in (
            ("sup_audio", views.audio, has_audio & matched),
            ("sup_text", views.text, has_text),
        ):
            labels = targets.labels[rows]
            terms[name] = losses.supervised_contrastive(
                vectors[:, rows], labels, scale, chunk=chunk
            )
    return terms


def partners(keys: Tensor) -> Tensor:
    """Return for each of `keys` `[N]` the index of another, by chance.

    A batch is sorted by length: the row before, say, would be as long. The draw follows from the
    keys, so that every rank has the same and no other draw moves.
    """
    chance = torch.Generator().manual_seed(int(keys.sum()) % 2**63)
    order = torch.randperm(len(keys), generator=chance).to(keys.device)
    found = torch.empty_like(order)
    found[order] = order.roll(1)
    return found


@torch.no_grad()
def geometry(views_model: ViewsModel, batch: Batch) -> dict[str, Tensor]:
    """Return Wang and Isola's measures of `batch` under two dropout masks, whatever is trained.

    Of sound and of text they are taken from the towers' normalized vectors, so that they can be
    compared between objectives with and without projections; sound against text only meet in the
    projected space. Draws dropout masks: fork the random state around it.
    """
    targets = Targets.of(batch)
    audio, text = views_model.encode(batch, 2)
    sounds, words = (F.normalize(of.pooled.float(), dim=-1) for of in (audio, text))
    size = len(batch.labels)
    found = {}
    for name, vectors, rows in (
        ("audio", sounds, targets.has_audio),
        ("text", words, targets.has_text),
    ):
        first, second = vectors[:size][rows], vectors[size:][rows]
        found[f"alignment_{name}"] = losses.alignment(first, second)
        found[f"uniformity_{name}"] = losses.uniformity(first)
    rows = targets.has_audio & targets.has_text & targets.matched
    sound = views_model.model.audio_projection(audio.pooled[:size][rows])
    said = views_model.model.text_projection(text.pooled[:size][rows])
    return {**found, "alignment_cross": losses.alignment(sound, said)}
