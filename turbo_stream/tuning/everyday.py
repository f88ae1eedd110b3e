"""Words that are said to everybody, all day long."""

TALK = frozenset(
    """
    a about all am an and any anything are as at away be because been before being but by can can't
    come could did didn't do does doesn't doing don't down for from get give go going gonna good got
    great guess had has have haven't he he's hello help her here here's hey hi him his how i i'd
    i'll i'm i've if in into is isn't it it's just know let let's like little look love make man
    maybe me mean more much my need never next no not nothing now of off oh okay on one only or our
    out over please really right said saw say see seen she she's should so some something sorry
    sure take talk tell thank thanks that that's the them then there there's these they they're
    thing think this time to too two up us very wait want was way we we'll we're well were what
    what's when where which who why will with won't would yeah yes you you'd you'll you're you've
    your
    """.split()  # noqa: SIM905
)
"""The most frequent words of spoken English: of these alone, a reading is no name."""

NAMED = frozenset(
    """
    monday tuesday wednesday thursday friday saturday sunday january february march april may june
    july august september october november december spring summer autumn winter today tomorrow
    mom mum dad baby honey home house kitchen computer phone music light lights time
    """.split()  # noqa: SIM905
)
"""Words that may be a device's name, and are said when nobody means it."""
