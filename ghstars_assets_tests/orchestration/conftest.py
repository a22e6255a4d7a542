"""A daemon over a home of tides, for the tests of what is asked for."""

from ghstars_assets_tests.support.automation_daemon import (  # noqa: F401 - fixtures
    daemon,
    instance,
    settings,
)
