"""What a problem can ask the loop to learn: a task says what its heads are fitted to, what a
forecast of it is, how that is calibrated and by which error it is judged.

`task.py` is what every task has to say, `count.py` the one there is. What is true of every task
(days, versions, windows, gates) belongs in the other rooms, and which task a problem has in the
problem.
"""
