"""The command, for every test here."""

from ghstars_assets_tests.support.ghstars_command import ghstars  # noqa: F401 - a fixture
