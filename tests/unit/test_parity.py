"""How far an answer may be from another, and what is said of one that is further off."""

import math

from server.models.manifest import Agreement
from server.runtime.parity import Limits

LIMITS = Limits(mask_iou=0.99, logit_drift=0.01, iou_error=0.001)


def test_answers_at_the_limits_are_let_through() -> None:
    assert LIMITS.overstepped(Agreement(0.99, 0.01, 0.001)) is None


def test_each_comparison_that_fails_is_told_with_both_ends_and_no_other() -> None:
    assert LIMITS.overstepped(Agreement(0.9, 0.01, 0.001)) == "masks have an IoU of 0.9000 (at least 0.99)"
    drift_and_error = "logits differ by 2.00% (at most 1%), predicted IoUs differ by 0.5 (at most 0.001)"
    assert LIMITS.overstepped(Agreement(1, 0.02, 0.5)) == drift_and_error


def test_what_is_not_a_number_is_not_let_through() -> None:
    assert str(LIMITS.overstepped(Agreement(math.nan, math.nan, math.nan))).count("nan") == 3
