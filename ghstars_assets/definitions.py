"""What `dagster-webserver` and `dagster-daemon` load."""

from ghstars_assets.orchestration.build import build_defs

defs = build_defs()
