"""Talking to an API server: client, apply, exec, the recording, deadlines."""
