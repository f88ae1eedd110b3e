"""Building blocks of `tools.recognizers.pocketsphinx_lm`: text, counts, the stock model, ARPA."""
