"""A batch with everything that can be wrong with a row; import it after torch was found."""

import torch

from training.data.batch import Batch


def eight_rows() -> Batch:
    """Eight random rows: one without sound, one without text, two of the same recording, two with
    the same transcript, the last with words that are not its own."""
    random = torch.Generator().manual_seed(0)
    frame_mask = torch.ones(8, 10)
    token_mask = torch.ones(8, 6, dtype=torch.long)
    frame_mask[0], token_mask[1] = 0.0, 0
    word_mask = token_mask.clone()
    word_mask[:, [0, -1]] = 0
    return Batch(
        frames=torch.randn(8, 10, 48, generator=random),
        frame_mask=frame_mask,
        token_ids=torch.randint(4, 60, (8, 6), generator=random),
        token_mask=token_mask,
        word_mask=word_mask,
        confidence=torch.tensor([[0.0, 0.0, 0.0, 1.0]] * 8),
        labels=torch.tensor([0, 1, 0, 1, 0, 1, 0, 1]),
        text_keys=torch.tensor([1, 2, 3, 4, 5, 6, 7, 7]),
        recording_keys=torch.tensor([1, 2, 3, 4, 5, 5, 7, 8]),
        matched=torch.tensor([True] * 7 + [False]),
    )
