"""How the whole suite runs properties: no deadline on a busy machine, more examples in CI."""

import os

from hypothesis import settings

# How fast something is belongs to the benchmarks; a slow example is not a wrong one.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", settings.get_profile("default"), max_examples=250)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
