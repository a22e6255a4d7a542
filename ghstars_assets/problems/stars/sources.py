"""Where the counts of repositories come from, the most trusted first."""

from ghstars_assets.sources.github.sources import repository_sources
from ghstars_assets.sources.histories import histories

SOURCES = (*repository_sources("stars"), *histories("stars"))
