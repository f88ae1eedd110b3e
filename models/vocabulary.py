"""The tokenizer: MiniLM's word pieces, pruned, with the text cleaning built in."""

import json
from collections import Counter
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece

from models.pretrained import minilm_folder
from turbo_stream.detection.token_row import NAME_TOKEN

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", NAME_TOKEN)
_NAME_LIKE = "alexa"
"""The piece whose meaning `NAME_TOKEN` starts from: what a device is called."""

_SPELLING = "abcdefghijklmnopqrstuvwxyz0123456789'"


def _assemble(vocabulary: dict[str, int]) -> Tokenizer:
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=40))
    # Recognizers differ in case and punctuation, typed text still more: none of it may count.
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKD(),
            normalizers.StripAccents(),
            normalizers.Lowercase(),
            normalizers.Replace(Regex("[\u2018\u2019`]"), "'"),
            normalizers.Replace(Regex("[^\\p{L}\\p{N}']+"), " "),
            normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    cls, sep = ((name, vocabulary[name]) for name in ("[CLS]", "[SEP]"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[cls, sep]
    )
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    # What a name marks is one piece: not to be spelled by what somebody says. Whoever encodes cuts.
    tokenizer.encode_special_tokens = True
    return tokenizer


def prune_vocabulary(texts: Iterable[str], *, size: int) -> tuple[Tokenizer, list[int]]:
    """Keep `size` word pieces of MiniLM; return the tokenizer and the ids they had before.

    Kept are the special tokens, every piece needed to spell any word, what occurs in `texts` by
    frequency, and then MiniLM's own order, which is about that of English.
    """
    stored = json.loads((minilm_folder() / "tokenizer.json").read_text("utf-8"))
    full: dict[str, int] = stored["model"]["vocab"]
    plain = [piece for piece in full if not (piece.startswith("[") and piece.endswith("]"))]
    whole = _assemble({piece: index for index, piece in enumerate([*SPECIAL_TOKENS, *plain])})
    counts: Counter[str] = Counter()
    for encoding in whole.encode_batch(list(texts), add_special_tokens=False):
        counts.update(encoding.tokens)
    spelling = [*_SPELLING, *(f"##{letter}" for letter in _SPELLING)]
    english = [piece for piece in plain if piece.removeprefix("##").strip("'").isascii()]
    english = [piece for piece in english if piece.removeprefix("##").isalpha()]
    frequent = [piece for piece, count in counts.most_common() if count > 1]
    kept: dict[str, int] = {}
    for piece in [*SPECIAL_TOKENS, *spelling, *frequent, *english]:
        known = piece in full or piece == NAME_TOKEN
        if known and piece not in kept and len(kept) < size:
            kept[piece] = len(kept)
    like_name = full.get(_NAME_LIKE, full["[UNK]"])
    return _assemble(kept), [full.get(piece, like_name) for piece in kept]
