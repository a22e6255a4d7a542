"""Where the counts of repositories come from, the most trusted first."""

from ghstars_assets.sources.github.repository_sources import repository_sources
from ghstars_assets.sources.github_ranking.ranking_source import ranking_source

SOURCES = (*repository_sources("stars"), ranking_source("stars"))
