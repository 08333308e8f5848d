"""Pickled models of strangers: what is inside is told, and nothing of it is run."""

import io
import os
import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline

from ml.foreign.contents import look_into
from ml.foreign.importing import require_known
from warehouse.errors import TrainingError, UnreadableFileError


class Bomb:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


def fitted(estimator: Any) -> Pipeline:
    random = np.random.default_rng(1)
    values = random.normal(size=(60, 2))
    return make_pipeline(SimpleImputer(), estimator).fit(values, values[:, 0] > 0)


def dumped(value: Any, compress: Any = 0) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(value, buffer, compress=compress)
    return buffer.getvalue()


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)])
@pytest.mark.parametrize("estimator", [RandomForestClassifier(3), HistGradientBoostingClassifier(max_iter=3)])
def test_the_names_in_a_pipeline_are_told_and_known(estimator: Any, compress: Any) -> None:
    contents = look_into(dumped(fitted(estimator), compress))
    assert "sklearn.pipeline.Pipeline" in contents.names
    assert f"{type(estimator).__module__}.{type(estimator).__name__}" in contents.names
    require_known(contents)


@pytest.mark.parametrize("shape", ["alone", "among strings", "in an array", "of plain pickle"])
def test_what_would_run_is_named_and_not_run(tmp_path: Path, shape: str) -> None:
    marker = tmp_path / "ran"
    bomb = Bomb(marker)
    array = np.array([bomb, "text"], dtype=object)
    content = {
        "alone": dumped(bomb),
        "among strings": dumped({"a": [1, bomb]}, 3),
        "in an array": dumped({"first": np.zeros(5), "second": array}),
        "of plain pickle": pickle.dumps(make_pipeline(bomb)),
    }[shape]
    contents = look_into(content)
    assert contents.unknown == (f"{os.system.__module__}.system",)
    with pytest.raises(TrainingError, match="system"):
        require_known(contents)
    assert not marker.exists()


@pytest.mark.parametrize(
    "name",
    [
        "builtins.eval",
        "builtins.getattr",
        "functools.partial",
        "joblib.numpy_pickle.load",
        "numpy.load",
        "scipy.io.FortranFile",
        "sklearn.datasets._base.urlretrieve",
        "sklearn.pipeline.delayed",
        "sklearn.pipeline.nowhere",
        "sklearn.utils._testing.TempMemmap",
        "sklearn.utils.parallel.Parallel.__init__",
    ],
)
def test_functions_that_could_do_harm_are_unknown(name: str) -> None:
    module, _, function = name.rpartition(".")
    assert look_into(f"c{module}\n{function}\n.".encode()).unknown == (name,)


@pytest.mark.parametrize("chain", ["os.system", "os", "os.path", "", "Pipeline.fit"])
def test_no_name_leads_on_to_other_modules(chain: str) -> None:
    module = "sklearn.datasets._base" if chain.startswith("os") else "sklearn.pipeline"
    words = [b"\x8c" + bytes([len(word)]) + word.encode() for word in (module, chain)]
    content = b"\x80\x04" + b"".join(words) + b"\x93."
    with pytest.raises(TrainingError):
        require_known(look_into(content))


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x78\x9c", b"\x80\x04.", b"\x1f\x8b\x00", dumped(np.zeros(9))[:40]]
)
def test_what_is_no_pickle_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableFileError, match="no model that joblib wrote"):
        look_into(content)
