"""From scenario outcomes and measurements to verdicts."""
