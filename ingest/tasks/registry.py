"""The tasks that have a name, and what each of them measures."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

from ingest.tasks import agreement, greater_than, ioi, pronouns, sentiment
from ingest.tasks.pairs import Pair
from ingest.tasks.words import Split
from store.errors import RecipeError

LOGIT_DIFFERENCE = "logit(clean answer) − logit(patch answer) at the last position"


@dataclass(frozen=True)
class GeneratedTask:
    """A task whose pairs are made, not read. `positions` name the tokens of a prompt, the start token left out."""

    name: str
    summary: str
    metric: str
    positions: tuple[str, ...]
    generate: Callable[[int, int, Split], list[Pair]]
    """(n, seed, split) → n different pairs; train and held-out share no noun."""


TASKS = {
    task.name: task
    for task in (
        GeneratedTask(
            "agreement-simple",
            'Subject–verb agreement: "The keys" → " are".',
            LOGIT_DIFFERENCE,
            agreement.SIMPLE_POSITIONS,
            agreement.simple,
        ),
        GeneratedTask(
            "agreement-across-pp",
            'Subject–verb agreement across a prepositional phrase: "The keys near the cabinet" → " are".',
            LOGIT_DIFFERENCE,
            agreement.ACROSS_PP_POSITIONS,
            agreement.across_pp,
        ),
        GeneratedTask(
            "agreement-within-rc",
            'Subject–verb agreement within a relative clause: "The key that the farmers" → " have".',
            LOGIT_DIFFERENCE,
            agreement.WITHIN_RC_POSITIONS,
            agreement.within_rc,
        ),
        GeneratedTask(
            "agreement-across-rc",
            'Subject–verb agreement across a relative clause: "The keys that the farmer knows" → " are".',
            LOGIT_DIFFERENCE,
            agreement.ACROSS_RC_POSITIONS,
            agreement.across_rc,
        ),
        GeneratedTask(
            "ioi",
            "Indirect object identification: which of two names was not said again: "
            '"When Mary and James went to the store, James gave a key to" → " Mary".',
            LOGIT_DIFFERENCE,
            ioi.POSITIONS,
            ioi.ioi,
        ),
        GeneratedTask(
            "greater-than",
            'A decade that lies after another: "The war lasted from 1764 to 17" → "8".',
            LOGIT_DIFFERENCE,
            greater_than.POSITIONS,
            greater_than.greater_than,
        ),
        GeneratedTask(
            "gendered-pronoun",
            'The pronoun that fits a name: "Then Mary lost the key because" → " she".',
            LOGIT_DIFFERENCE,
            pronouns.POSITIONS,
            pronouns.pronouns,
        ),
        GeneratedTask(
            "sentiment",
            'What a judgement leads to: "The movie was wonderful, so I was very" → " happy".',
            LOGIT_DIFFERENCE,
            sentiment.POSITIONS,
            sentiment.sentiment,
        ),
    )
}


def task(name: str) -> GeneratedTask:
    """The task of that name. Raises RecipeError, offering the nearest names, where there is none."""
    if name not in TASKS:
        near = get_close_matches(name, TASKS, cutoff=0.3) or list(TASKS)
        raise RecipeError(f'there is no task "{name}": did you mean {" or ".join(near)}? (or name a .jsonl file)')
    return TASKS[name]
