"""Where the counts of repositories come from, the most trusted first."""

from ghstars_assets.sources.gharchive.sources import gharchive_sources
from ghstars_assets.sources.github.sources import github_sources
from ghstars_assets.sources.github_ranking.sources import ranking_sources

SOURCES = (*github_sources("stars"), *ranking_sources("stars"), *gharchive_sources("stars"))
