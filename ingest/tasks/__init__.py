"""Tasks: pairs of prompts that differ in one respect, and the metric that tells the two apart.

`pairs` says what a pair is and reads JSONL, `agreement` makes pairs of our own, `splits` sets pairs aside for the
held-out figures, `alignment` turns pairs into tensors of equal length, and `registry` knows the tasks by name.
"""
