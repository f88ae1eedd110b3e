"""What was said fills an argument and never becomes one, nor a shell's business."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.accepted_utterance import utterance
from turbo_stream.actions._command import CommandTemplate
from turbo_stream.errors import InputError

# Also what is no Unicode: a lone surrogate cannot be encoded.
any_text = st.one_of(
    st.text(st.characters(exclude_categories=[])),
    st.text(st.sampled_from("-@{}$`;|&<>'\"\\ \n\t\0*?~#!text")),
)


def fill(template: str, event) -> list[str]:
    return [entry.decode() for entry in CommandTemplate.parse(template).fill(event)]


def test_every_place_is_filled(accepted) -> None:
    event = accepted(number=7)
    filled = fill("echo {id} {start_s}-{end_s} p={probability} 'say: {text}!'", event)
    assert filled == ["echo", "7", "1.250-2.500", "p=0.973", "say: turn on the lights!"]


def test_quotes_are_read_once_before_anything_is_said(accepted) -> None:
    filled = fill("""sh -c 'run "$1"' sh "{text}" """, accepted('"; rm -rf / #'))
    assert filled == ["sh", "-c", 'run "$1"', "sh", '"; rm -rf / #']


@given(any_text)
def test_whatever_was_said_stays_in_its_argument(text) -> None:
    filled = CommandTemplate.parse("echo before {text} --as={text} after").fill(utterance(text))
    readable = text.replace("\0", " ").encode("utf-8", "replace")
    assert len(filled) == 5 and filled[0] == b"echo"
    assert (filled[1], filled[4]) == (b"before", b"after")
    assert filled[2] in (readable, b" " + readable)
    assert not filled[2].startswith((b"-", b"@"))
    assert filled[3] == b"--as=" + readable


@pytest.mark.parametrize(
    ("said", "given"), [("--help", " --help"), ("-5 degrees", " -5 degrees"), ("@home", " @home")]
)
def test_nobody_speaks_an_option(accepted, said: str, given: str) -> None:
    assert fill("echo {text}", accepted(said)) == ["echo", given]
    assert fill("echo -- -{text}", accepted("v"))[2] == "-v", "the user's own dash stays"


def test_a_place_in_what_was_said_is_not_filled(accepted) -> None:
    assert fill("echo {text} {id}", accepted("{id} {text}")) == ["echo", "{id} {text}", "0"]


def test_no_text_is_an_empty_argument(accepted) -> None:
    assert fill("echo {text}", accepted(None)) == ["echo", ""]


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("", "empty"),
        ("echo 'open", "close the quotes"),
        ("echo {words}", "{text}, {probability}"),
        ("{text} now", "may not choose the program"),
        ("no-such-program-here {text}", "no program 'no-such-program-here'"),
    ],
)
def test_a_template_that_cannot_work_is_refused_in_one_line(template: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as refused:
        CommandTemplate.parse(template)
    assert "\n" not in str(refused.value)


def test_other_braces_are_the_users_own(accepted) -> None:
    assert fill("""echo '{"a": 1}' {}""", accepted()) == ["echo", '{"a": 1}', "{}"]
