"""Fixtures that more than one file needs."""

import pytest

from sklinear import _data
from sklinear.solvers._small import SmallNewton


@pytest.fixture(autouse=True)
def full_matrices_stay_sparse(monkeypatch):
    """Small ones stand for large ones; tests/test_data.py says which would become arrays."""
    monkeypatch.setattr(_data, "FULL", 2.0)
    monkeypatch.setattr(_data, "SMALL", 0)


@pytest.fixture
def without_small_steps(monkeypatch):
    """Small dense problems are solved by the steps that larger ones take."""
    monkeypatch.setattr(SmallNewton, "serves", lambda self, problem: False)


@pytest.fixture(params=["small", "large"])
def either_steps(request):
    """Small dense problems are solved by their own steps, then by those of larger ones."""
    if request.param == "large":
        request.getfixturevalue("without_small_steps")
