"""Commands that only this problem has: which repositories are tracked, and the sandbox's GitHub.

They use the platform that is handed to them and import neither the command line nor Dagster. This
list is read by `ghstars --help`, so this file imports nothing heavy.
"""

from ghstars_assets.problems.platform import CommandEntry

_ROOM = "ghstars_assets.problems.stars.commands"

COMMANDS = {
    "start": CommandEntry(
        f"{_ROOM}.start:start",
        "The first evening: follow, snapshot, import years of past, train and forecast.",
    ),
    "track": CommandEntry(
        f"{_ROOM}.track:track", "Follow repositories on GitHub, from the next snapshot on."
    ),
    "untrack": CommandEntry(f"{_ROOM}.untrack:untrack", "Stop following."),
    "tracked": CommandEntry(
        f"{_ROOM}.tracked:tracked",
        "Show who is followed, why, what became of it and when it is asked about next.",
    ),
    "sandbox": CommandEntry(
        f"{_ROOM}.sandbox:sandbox",
        "Serve the invented GitHub on loopback, for experiments of your own.",
    ),
}
