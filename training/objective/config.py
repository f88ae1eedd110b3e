"""Which terms the objective has, and the arms of an ablation: the same run under another one."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from turbo_stream.errors import InputError

Part = Literal["classes", "contrast"]
"""Of the loss: the terms of the classes (cross-entropy, R-Drop), and those of the projections. No
vector takes part in both, but the towers beneath do."""


@dataclass(frozen=True)
class ObjectiveConfig:
    """Weights of the terms; a weight of 0 switches its term off."""

    views: int = 2
    """Passes of every row under dropout masks of their own: 2, or 1 for plain cross-entropy."""

    in_modal: float = 0.1
    """Weight of InfoNCE between the two dropout views of one modality (both modalities' sum)."""

    cross_modal: float = 0.1
    """Weight of InfoNCE between the views of sound and text."""

    r_drop: float = 0.0
    """Weight of the symmetric KL divergence between the two views' classes."""

    sup_con: float = 0.0
    """Weight of supervised contrast of the views of one modality (both modalities' sum)."""

    temperature: float = 0.07
    """Of all contrastive terms; where the learnable one starts."""

    min_temperature: float = 0.02
    """It never falls below this ..."""

    max_temperature: float = 0.5
    """... nor rises above this."""

    learn_temperature: bool = True
    """False keeps it where it starts."""

    mask_same_text: bool = True
    """Rows with equal transcripts are no negatives of each other."""

    mask_same_recording: bool = True
    """Rows of the same recording are no negatives of each other."""

    mask_same_label: bool = False
    """Rows of the same class are no negatives of each other. The paper contrasts them: instance
    against instance, whatever the classes."""

    hide_frames: float = 0.0
    """Of each view of a sound: the longest span of its frames that is not given, as a share of
    them. Every view has a span of its own, in training only; whatever the tower."""

    hide_words: float = 0.0
    """Of each view of a text: the share of its tokens of words that are not given, drawn likewise;
    never the marks around a text or that of the name, nor all of the words."""

    shuffle_pairs: bool = False
    """A control: contrast every sound with the words of a random other row of the batch. What the
    cross-modal term is then still worth, it is not worth for what sound and words have in common,
    their length included."""

    loss_chunk: int = 0
    """Rows of similarities made at a time, so that their memory is linear in the batch; 0: all."""

    @property
    def contrastive(self) -> bool:
        """Whether any term needs the projections."""
        return bool(self.in_modal or self.cross_modal or self.sup_con)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts of the loss that are switched on."""
        return ("classes", "contrast") if self.contrastive else ("classes",)

    def check(self) -> None:
        """Raise InputError where the fields contradict each other."""
        if self.views not in (1, 2):
            raise InputError(f"objective.views={self.views}: allowed are 1 and 2")
        if self.views == 1 and (self.in_modal or self.r_drop):
            raise InputError(
                "objective.views=1: in_modal and r_drop compare two views; set them to 0 or views=2"
            )
        for name in ("hide_frames", "hide_words"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise InputError(
                    f"objective.{name}={getattr(self, name)}: a share from 0 to below 1"
                )
        if not 0 < self.min_temperature <= self.temperature <= self.max_temperature:
            raise InputError(
                f"objective.temperature={self.temperature}: must lie between min_temperature "
                f"{self.min_temperature} (above 0) and max_temperature {self.max_temperature}"
            )


_TERMS: dict[str, dict[str, float]] = {
    "ce": {},
    "ce_slow": {},
    "ce_words": {},
    "ce_2view": {},
    "in_modal": {"in_modal": 0.1},
    "cross_modal": {"cross_modal": 0.1},
    "turbo": {"in_modal": 0.1, "cross_modal": 0.1},
    "r_drop": {"r_drop": 1.0},
    "sup_con": {"sup_con": 0.1},
    "cross_shuffled": {"cross_modal": 0.1},
}
"""What each arm adds to cross-entropy, and with which weight where the configuration has none."""

_PLAIN = ("ce", "ce_slow", "ce_words")

ARMS = tuple(_TERMS)


def select_arm(config: ObjectiveConfig, arm: str) -> ObjectiveConfig:
    """Return `config` with the terms of `arm` and no other; plain cross-entropy has one view.

    `ce_slow` and `ce_words` have the terms of `ce`: what else they are is no matter of the loss.

    A term keeps the weight that `config` gives it, so that a tuned one stays tuned; one that
    stands at 0 there gets its default.

    Raises:
        ValueError: there is no such arm.
    """
    if arm not in _TERMS:
        raise ValueError(f"arm {arm}: unknown; allowed: {', '.join(ARMS)}")
    wanted = _TERMS[arm]
    weights: dict[str, Any] = {
        term: (getattr(config, term) or wanted[term]) if term in wanted else 0.0
        for term in ("in_modal", "cross_modal", "r_drop", "sup_con")
    }
    views, shuffled = 1 if arm in _PLAIN else 2, arm == "cross_shuffled"
    return replace(config, views=views, shuffle_pairs=shuffled, **weights)
