"""Where the time and the memory go; run by ``make bench``, never by the tests."""
