# Files of the test suite that are not programs.
