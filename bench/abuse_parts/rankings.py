"""A small Github-Ranking archive, as files in a folder."""

import csv
from datetime import timedelta
from pathlib import Path

from ghstars_assets.calendar import DayRange

COLUMNS = (
    *("rank", "item", "repo_name", "stars", "forks", "language", "repo_url", "username"),
    *("issues", "last_commit", "description"),
)
REPOSITORIES = 20


def write_archive(folder: Path, days: DayRange) -> None:
    folder.mkdir()
    for number in range(len(days)):
        day = days.first + timedelta(days=number)
        with (folder / f"github-ranking-{day}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(
                ranking_row(place, 1000 * place + number, f"{day}T04:03:00Z")
                for place in range(1, REPOSITORIES + 1)
            )


def ranking_row(place: int, stars: object, pushed_at: str) -> list[object]:
    name = f"name-{place}"
    address = f"https://github.com/owner/{name}"
    counts = [place, "Python", name, stars, 20, "Python", address, "owner", 3]
    return [*counts, pushed_at, "a description, with a comma"]
