"""What `dagster-webserver` and `dagster-daemon` load: the home that the environment names."""

from dagster import Definitions, definitions

from ghstars_assets.orchestration.build import build_defs
from ghstars_assets.settings import load_settings


@definitions
def defs() -> Definitions:
    return build_defs(load_settings())
