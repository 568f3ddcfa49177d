"""Claims by versions of Kubernetes: one suite, several clusters, and what differs between them."""
