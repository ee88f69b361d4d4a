"""`python -m localhost`: see `localhost.cli`."""

import sys

from localhost.cli import main

sys.exit(main(sys.argv[1:]))
