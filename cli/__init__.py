"""`reconverge …`: the same runs, the same journal, from a terminal or a pipeline."""
