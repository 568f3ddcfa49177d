"""What a client of the workload experiences."""
