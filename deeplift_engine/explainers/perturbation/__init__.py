"""Methods that replace parts of the inputs."""
