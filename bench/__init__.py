"""What Reconverge costs, each cost as a ratio to a peer or a floor that is measured in the same run.

`python -m bench` measures everything, `python -m bench NAME…` a part. Described in docs/benchmarks.md.
"""
