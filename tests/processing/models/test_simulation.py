"""5,000 interleavings of what callers, workers, sweeps and staff do: no job is lost or done twice."""

import pytest
from django.db import connection

from tests.processing.models.simulation import PER_SEED, Simulation

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="the simulation takes long, and runs on SQLite"),
]
SEEDS = -(-5000 // PER_SEED)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_job_is_lost_or_done_twice(seed: int) -> None:
    simulation = Simulation(seed)
    simulation.run()
    assert simulation.interleavings == PER_SEED
