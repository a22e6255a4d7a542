"""Where the counts of repositories come from."""

from ghstars_assets.sources.github.repository_sources import repository_sources

SOURCES = repository_sources("stars")
