"""Predict regulatory activity from DNA sequence, and explain what was learned: the front door."""
