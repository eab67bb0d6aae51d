from hypothesis import given
from hypothesis import strategies as st

from sidetone.video import Size
from sidetone.video.quality import QUALITIES, fitted

sides = st.integers(16, 8000)


@given(sides, sides, st.sampled_from(sorted(QUALITIES)))
def test_a_fitted_size_is_even_no_larger_and_of_the_same_aspect(
    width: int, height: int, name: str
) -> None:
    most = QUALITIES[name].size_max
    size = fitted(Size(width, height), most)
    assert size.width % 2 == size.height % 2 == 0
    assert size.width <= max(2, min(width, most.width))
    assert size.height <= max(2, min(height, most.height))
    scale = min(1, most.width / width, most.height / height)
    assert abs(size.width - width * scale) <= 2
    assert abs(size.height - height * scale) <= 2
