"""What drives the rest: the pipeline, its processes, the command line. Nobody imports it."""
