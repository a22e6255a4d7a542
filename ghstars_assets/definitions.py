"""What `dagster-webserver` and `dagster-daemon` load: the home that the environment names."""

from ghstars_assets.orchestration.build import defs

__all__ = ["defs"]
