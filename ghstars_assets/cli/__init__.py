"""The `ghstars` command: one file a command, loaded when that command runs.

`data/` holds the commands that fill, declare and query tables, `learning/` those about forecasts
and versions, `operations/` those that run the platform and look after it. What several commands
share stands here: the group, the parameters, the terminal. A command that is one problem's own
stands in `problems/<problem>/commands/`; work that anything but a command needs belongs below.
"""

from ghstars_assets.cli.entry_point import cli, main

__all__ = ["cli", "main"]
