"""Can canaries be told from real rows? Classifiers that are given 4 in 5 of them, and one that is given none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

import numpy as np
from numpy.typing import NDArray

from ledger.party.dataset.reading.cells import Cell
from ledger.party.marks.drawing import SourceTable, draw
from ledger.party.marks.recipe import learn

_SHOWN = 8
_FOLDS = 5
_MARKS = 600
_REAL = 4000


def distinguish(source: SourceTable, random: Random) -> None:
    """Print the cross-validated AUC of two supervised models, and that of an outlier detector: 0.5 is blind."""
    try:
        from sklearn.ensemble import IsolationForest, RandomForestClassifier  # noqa: PLC0415 - of the extra `bench`
        from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
        from sklearn.metrics import roc_auc_score  # noqa: PLC0415
        from sklearn.model_selection import StratifiedKFold, cross_val_score  # noqa: PLC0415
        from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    except ImportError:
        print("scikit-learn is not installed: whether canaries can be told is not measured")
        return
    recipe = learn(source.columns, source.sample, source.rows, 2 * _MARKS)
    marks = draw(source, recipe, _MARKS, random)
    real = source.sample[:_REAL]
    rows = [*real, *marks]
    labels = np.array([0] * len(real) + [1] * len(marks))
    texts = ["\t".join(cell or "" for cell in row) for row in rows]
    features = _features(rows)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    forest = RandomForestClassifier(n_estimators=150, random_state=0)
    letters = make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2), LogisticRegression(max_iter=300)
    )
    print(f"  {len(marks)} canaries among {len(real):,} real rows, AUC (0.5: cannot be told)")
    for words, model, given in (
        ("random forest, labelled", forest, features),
        ("logistic regression on n-grams, labelled", letters, texts),
    ):
        scores = cross_val_score(model, given, labels, cv=folds, scoring="roc_auc")
        print(f"    {words:<42} {scores.mean():.3f} ± {scores.std():.3f}", flush=True)
    outliers = IsolationForest(n_estimators=200, random_state=0).fit(features)
    print(
        f"    {'isolation forest, without labels':<42} {roc_auc_score(labels, -outliers.score_samples(features)):.3f}"
    )


def _features(rows: Sequence[Sequence[Cell]]) -> NDArray[np.float64]:
    """Return for each cell its number, length, decimals, first characters, and how often the copy has it."""
    columns = []
    for column in zip(*rows, strict=True):
        counts = Counter(column)
        columns.append(
            [
                [_number(cell), len(cell or ""), len((cell or "").partition(".")[2]), counts[cell]]
                + [ord(character) for character in (cell or "")[:_SHOWN].ljust(_SHOWN)]
                for cell in column
            ]
        )
    return np.hstack([np.array(column, float) for column in columns])


def _number(cell: Cell) -> float:
    try:
        return float(cell or "")
    except ValueError:
        return -1.0
