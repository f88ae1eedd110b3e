"""What a view is not given: a span of the sound, some words of the text.

What is hidden is left out of attention and of pooling, as padding is, so that it means the same to
every tower. Draws come from torch's generators, as dropout's do: a second pass that replays them
hides the same.
"""

import torch
from torch import Tensor


def without_span(mask: Tensor, longest: float) -> Tensor:
    """Return `mask` `[B, N]` with a span of each row's steps taken out, drawn at random.

    It is up to `longest` of the row's own steps, which come first in it: never all of them.
    """
    count = mask.sum(dim=1)
    length, place = torch.rand(2, len(mask), device=mask.device)
    # A share below 1 leaves at least one step: no row becomes one without sound.
    length = torch.floor(length * (torch.floor(longest * count) + 1.0))
    start = torch.floor(place * (count - length + 1.0))
    step = torch.arange(mask.shape[1], device=mask.device)
    hidden = (step >= start[:, None]) & (step < (start + length)[:, None])
    return mask * (~hidden).to(mask.dtype)


def without_words(mask: Tensor, words: Tensor, share: float) -> Tensor:
    """Return `mask` `[B, L]` without each of `words` `[B, L]` by the chance `share`.

    A row that would lose every word keeps them all.
    """
    given = words > 0
    hidden = (torch.rand(mask.shape, device=mask.device) < share) & given
    some = (given & ~hidden).any(dim=1, keepdim=True)
    return mask * (~(hidden & some)).to(mask.dtype)
