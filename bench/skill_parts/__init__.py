"""What `bench/skill.py` puts together: the rows, the peers that forecast them, the judgement."""
