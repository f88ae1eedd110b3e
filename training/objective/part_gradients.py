"""The gradient of a step: that of each part of the loss, clipped on its own, then their sum."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from training.data.batch import Batch
from training.objective.grad_cache import Gradients, RandomState

_NORMS = {"classes": "gradient_norm", "contrast": "gradient_norm_contrast"}
"""What the length of a part's gradient, before it is clipped, is called in reports."""


def part_gradients(
    gradients: Gradients, batches: Sequence[Batch], parameters: Sequence[nn.Parameter], clip: float
) -> dict[str, Tensor]:
    """Give each of `parameters` its gradient of the mean loss of `batches`; return what to report.

    A part is a pass of its own, under the same dropout masks: ranks, chunks and compiled passes
    are then what they are for a loss of one part. A part's gradient longer than `clip`, as a norm
    over all parameters, is shortened to it. What is reported is of the last batch.
    """
    device = batches[0].labels.device
    masks = RandomState.now(device)
    report: dict[str, Tensor] = {}
    found = []
    for part in gradients.objective.parts:
        masks.replay(device)
        for parameter in parameters:
            parameter.grad = None
        for number, batch in enumerate(batches, 1):
            last = number == len(batches)
            terms = gradients.add(batch, part=part, weight=1.0 / len(batches), sync=last)
        norm = nn.utils.clip_grad_norm_(parameters, clip)
        loss = report.get("loss", 0.0) + terms["loss"]
        report |= {**terms, "loss": loss, _NORMS[part]: norm}
        found.append([parameter.grad for parameter in parameters])
    for parameter, parts in zip(parameters, zip(*found, strict=True), strict=True):
        given = [gradient for gradient in parts if gradient is not None]
        parameter.grad = torch.stack(given).sum(dim=0) if len(given) > 1 else (given or [None])[0]
    return report
