import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sidetone.audio import Samples, fft
from sidetone.native import records

blocks = arrays(np.float32, fft.SIZE, elements=st.floats(-1, 1, width=32, allow_subnormal=False))


@given(blocks)
def test_forward_is_the_transform_of_numpy(x: Samples) -> None:
    s = records(fft.SPECTRUM, 1)[0]
    s.points[0], s.points[1] = x[::2], x[1::2]
    fft.forward(s)
    assert np.allclose(s.bin_real + 1j * s.bin_imaginary, np.fft.rfft(x), atol=1e-3)


@given(blocks)
def test_back_again_is_where_we_were(x: Samples) -> None:
    s = records(fft.SPECTRUM, 1)[0]
    s.points[0], s.points[1] = x[::2], x[1::2]
    fft.forward(s)
    fft.backward(s)
    assert np.allclose(s.points[0], x[::2], atol=1e-5)
    assert np.allclose(s.points[1], x[1::2], atol=1e-5)
