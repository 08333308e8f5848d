"""Models over the feature mart: train, evaluate, register, score."""
