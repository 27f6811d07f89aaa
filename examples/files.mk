# Examples.
EXTRA_DIST += examples/quickstart
