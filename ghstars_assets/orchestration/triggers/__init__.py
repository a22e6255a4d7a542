"""Decides when assets run by themselves, by conditions, schedules and sensors, and how old each may
grow.
"""
