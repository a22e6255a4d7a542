"""A port that is taken, for the commands that look for a free one."""

from ghstars_assets_tests.support.ports import taken_port  # noqa: F401 - a fixture
