"""No plausible but false map: whatever is wrong with an item or its files, the map is right or the caller is told."""

import re
from pathlib import Path

import pytest

from tests.raster.mutations.kinds import KINDS
from tests.raster.mutations.table import MUTATIONS, Mutation
from tests.raster.mutations.world import World, outcome_of
from tests.servers import RangeServer, StacServer


@pytest.mark.parametrize("kind", KINDS)
def test_untouched_item_gives_the_right_map_without_a_warning_of_its_pixels(
    kind: str, shared_data: Path, range_server: RangeServer, stac_server: StacServer, tmp_path: Path
) -> None:
    outcome = outcome_of(World.of(KINDS[kind], shared_data, range_server), stac_server, tmp_path / "out")
    assert outcome.is_right, outcome
    assert outcome.product is not None
    assert [warning for warning in outcome.product.warnings if "degrees high" not in warning] == []  # of low sun


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.id)
def test_no_wrong_map_without_a_word(
    mutation: Mutation, shared_data: Path, range_server: RangeServer, stac_server: StacServer, tmp_path: Path
) -> None:
    world = World.of(KINDS[mutation.kind], shared_data, range_server)
    mutation.change(world)
    outcome = outcome_of(world, stac_server, tmp_path / "out")
    assert outcome.is_right or re.search(mutation.matter, outcome.said), outcome


def test_table_has_at_least_60_mutations_of_all_stored_items() -> None:
    assert len(MUTATIONS) >= 60
    assert {mutation.kind for mutation in MUTATIONS} == set(KINDS)
