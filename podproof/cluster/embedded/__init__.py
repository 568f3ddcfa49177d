"""A real multi-Node Kubernetes cluster on this machine, made of namespaces."""
