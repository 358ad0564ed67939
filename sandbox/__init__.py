"""A small cloud on loopback for drills, demos and tests. Imports nothing of what it tests."""
