"""The rows of the schema that matches become: one a match, and one a method that says how good its matches are."""

import torch

from ingest.analyses.matching.deactivation import Deactivation
from ingest.analyses.matching.matches import Matches
from ingest.analyses.matching.pair import Found, Pair
from ingest.analyses.matching.quality import agreement
from ingest.recipe import MatchingSection
from ingest.rows import Row, Rows
from store.uids import dictionary_uid, feature_uid

_DIGITS = 6


def add_pair(rows: Rows, model: str, pair: Pair, found: Found, said: MatchingSection, params: str) -> None:
    """Adds what was found out about a pair of dictionaries. model: its uid. params: what it depends on, as JSON."""
    a, b = (dictionary_uid(model, one.hook.name) for one in (pair.a, pair.b))
    best = {method: matches.best(pair.a.n_features) for method, matches in found.matches.items()}
    for method, matches in found.matches.items():
        measured = _measured(matches, found, said)
        for n, more in enumerate(measured):
            source, target = int(matches.source[n]), int(matches.target[n])
            row: Row = {
                "source": feature_uid(a, source),
                "target": feature_uid(b, target),
                "method": method,
                "score": round(float(matches.score[n]), _DIGITS),
                "rank": int(matches.rank[n]),
                "reverse_rank": int(matches.reverse_rank[n]),
            }
            if method == "feature_flow" and found.kinds and row["reverse_rank"] == 1:
                row["kind"] = found.kinds[target]
            rows["MATCHES"].append(row | more)
        rows["MATCHED"].append(
            {
                "source": a,
                "target": b,
                "method": method,
                **_summary(matches, measured, said),
                "explained_variance": _rounded(found.explained.get(method)),
                "own_explained_variance": _rounded(found.explained.get("own")),
                "random_explained_variance": _rounded(found.explained.get("random")),
                **{
                    f"same_as_{other}": _rounded(agreement(best[method], best[other]))
                    for other in found.matches
                    if other != method
                },
                "params": params,
            }
        )


def _measured(matches: Matches, found: Found, said: MatchingSection) -> list[Row]:
    """What the deactivation test says of each match; nothing where its ends were never active together."""
    test = found.deactivation
    if test is None:
        return [{} for _ in matches.source]
    width = int(found.tested[:, 1].max()) + 1
    key = found.tested[:, 0] * width + found.tested[:, 1]
    at = torch.searchsorted(key, matches.source * width + matches.target)
    return [_of(test, number, said) for number in at.tolist()]


def _of(test: Deactivation, number: int, said: MatchingSection) -> Row:
    n = int(test.n_active[number])
    if not n:
        return {}
    fall, control = float(test.fall[number]), float(test.control[number])
    return {
        "deactivation": _rounded(fall),
        "control": _rounded(control),
        "n_active": n,
        "confirmed": fall >= said.confirmed and fall > control,
    }


def _summary(matches: Matches, measured: list[Row], said: MatchingSection) -> Row:
    first = (matches.rank == 1).tolist()
    scores = matches.score[matches.rank == 1].double()
    summary: Row = {"n_matches": len(scores), "mean_score": _rounded(float(scores.mean())) if len(scores) else None}
    tested = [row for row, best in zip(measured, first, strict=True) if best and row]
    if tested:
        n = len(tested)
        summary |= {
            "n_active": n,
            "mean_deactivation": _rounded(sum(row["deactivation"] for row in tested) / n),
            "confirmed": _rounded(sum(row["confirmed"] for row in tested) / n),
            "control_confirmed": _rounded(
                sum(row["control"] >= said.confirmed and row["control"] > row["deactivation"] for row in tested) / n
            ),
        }
    return summary


def _rounded(value: float | None) -> float | None:
    """Without the last bits, in which products of matrices differ from machine to machine."""
    return None if value is None else round(value, _DIGITS)
