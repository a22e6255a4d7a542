"""Stars: which repositories will gain stars over the next seven days, how many, and how sure."""
