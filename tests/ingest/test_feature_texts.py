"""How a feature's activity is put into words."""

import pytest

from ingest.analyses.features.texts import Text, label


class Bytes:
    """A tokenizer whose tokens are the bytes of UTF-8: characters may be cut anywhere."""

    def decode(self, tokens: list[int]) -> str:
        return bytes(tokens).decode(errors="replace")


class Pieces:
    """A tokenizer of whole pieces, which leaves off the space at the start of a text, as SentencePiece does."""

    def __init__(self, *pieces: str) -> None:
        self.pieces = pieces

    def decode(self, tokens: list[int]) -> str:
        return "".join(self.pieces[token] for token in tokens).removeprefix(" ")


def test_the_token_is_marked_and_its_space_stays_outside() -> None:
    words = Pieces("<s>", " the", " keys", " near", " it", "\n")
    text = Text.of(words, [0, 1, 2, 3, 4])
    assert text.around(2, 5, 5) == "the «keys» near it"
    assert text.around(3, 1, 0) == " keys «near»"
    assert Text.of(words, [0, 1, 5, 3]).around(2, 5, 5) == "the«\n» near"


def test_the_first_token_and_the_last_can_be_the_marked_one() -> None:
    text = Text.of(Pieces("<s>", " the", " keys"), [0, 1, 2])
    assert text.around(1, 5, 5) == "«the» keys"
    assert text.around(2, 5, 5) == "the «keys»"


def test_a_space_that_is_the_token_is_what_is_marked() -> None:
    assert Text.of(Pieces("<s>", "a", " "), [0, 1, 2, 1]).around(2, 5, 5) == "a« »a"


@pytest.mark.parametrize("reach", range(6))
def test_of_a_cut_character_the_whole_is_marked(reach: int) -> None:
    whole = "aä—🙂b"
    text = Text.of(Bytes(), [0, *whole.encode()])
    marked = [character for character in whole for _ in character.encode()]
    for position, character in enumerate(marked, start=1):
        left, _, rest = text.around(position, reach, reach).partition("«")
        token, _, right = rest.partition("»")
        assert token == character
        assert left + token + right in whole
        assert text.around(position, 99, 99) == whole.replace(character, f"«{character}»")


def test_a_label_names_what_most_of_the_strongest_contexts_share() -> None:
    on = [" keys", " keys", " Keys", " cabs", " cabs", "x", "y", "z"]
    assert label(on, [" are", " were", "are", " is"]) == 'on " keys" " cabs", promotes " are" " were"'
    assert label(["\n"], ["a"]) == r'on "\n", promotes "a"'


def test_a_label_names_the_strongest_tokens_where_they_share_nothing_and_says_where_there_are_none() -> None:
    assert label([" b", "B", *"acdefghi"], [" are"]) == 'on tokens such as " b" "a", promotes " are"'
    assert label([], [" are"]) == 'never active, promotes " are"'
