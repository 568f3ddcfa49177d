"""Breaking things provably and revertibly."""
