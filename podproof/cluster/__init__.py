"""Which cluster: an existing one by its context, or the embedded one of this machine."""
