"""Versions outside the lake's tables: MLflow's runs and names, and the champion as plain files.

The only room that imports MLflow.
"""
