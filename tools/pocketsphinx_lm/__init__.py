"""Building blocks of `tools.build_pocketsphinx_lm`: text, counts, the stock model, ARPA."""
