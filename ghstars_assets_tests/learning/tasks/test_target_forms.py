"""Target forms: what is learnt can be turned back into what was asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghstars_assets.learning.tasks.target_forms import (
    AsItIs,
    RelativeToBase,
    TargetForm,
    slog,
    slog_inverse,
)

FORMS = (RelativeToBase(), AsItIs())
COUNTS = st.lists(st.floats(-1e7, 1e7), min_size=1, max_size=20)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: type(form).__name__)
@given(outcomes=COUNTS, base=st.floats(-1e6, 1e6), scale=st.floats(3, 1e6))
def test_a_perfect_fit_is_a_perfect_forecast(
    form: TargetForm, outcomes: list[float], base: float, scale: float
) -> None:
    actual = np.array(outcomes)
    bases, scales = np.full(len(actual), base), np.full(len(actual), scale)
    fitted = form.typical_target(actual, bases, scales)
    np.testing.assert_allclose(form.typical(fitted, bases, scales), actual, rtol=1e-9, atol=1e-6)


def test_the_mean_of_a_count_is_learnt_in_units_of_its_scale_and_is_never_negative() -> None:
    actual, scale = np.array([-4.0, 0.0, 30.0]), np.array([3.0, 3.0, 10.0])
    form = RelativeToBase()
    target = form.mean_target(actual, scale)
    assert target.tolist() == [0, 0, 3]
    assert form.mean(target, scale).tolist() == [0, 0, 30]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: type(form).__name__)
@given(values=COUNTS)
def test_squashing_keeps_the_order_and_can_be_undone(form: TargetForm, values: list[float]) -> None:
    ordered = np.sort(np.array(values))
    squashed = form.squash(ordered)
    assert (np.diff(squashed) >= 0).all()
    np.testing.assert_allclose(form.unsquash(squashed), ordered, rtol=1e-9, atol=1e-9)


def test_the_signed_logarithm_treats_losses_like_gains() -> None:
    gains = np.array([0.0, 1.0, 6.0, 1e6])
    assert slog(-gains).tolist() == (-slog(gains)).tolist()
    assert slog(np.array([np.e - 1])).tolist() == pytest.approx([1.0])
    np.testing.assert_allclose(slog_inverse(slog(-gains)), -gains)


def test_a_repository_of_any_size_weighs_by_the_logarithm_of_its_scale() -> None:
    weights = RelativeToBase().typical_weight(np.array([3.0, 3000.0]))
    assert 5 < weights[1] / weights[0] < 6
    assert AsItIs().typical_weight(np.array([3.0, 3000.0])).tolist() == [1, 1]
