"""What carries a run from submission to its end: observe, decide (domain), act, record."""
