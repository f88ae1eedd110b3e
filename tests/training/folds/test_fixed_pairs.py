from training.folds.split import PAIRS, left_out


def test_the_sentences_that_a_collection_was_read_from_are_left_out_with_it():
    assert left_out("coffee_commands", "conversation") == (
        "coffee_commands",
        "conversation",
        "pico_coffee_corpus",
    )
    assert left_out("wake_words", "audiobook") == ("wake_words", "audiobook")


def test_a_pair_is_one_collection_of_each_class():
    assert len(PAIRS) == len({name for pair in PAIRS for name in pair.split(",")}) / 2
