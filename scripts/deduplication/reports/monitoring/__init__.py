"""What the user reads of how a store does: figures and their trends, gaps, alerts, what is watched. Pure functions to text."""
