"""`python -m course`: checks the interpreter before anything newer than it is imported."""

import sys

if sys.version_info < (3, 11):
    sys.exit("course: needs Python 3.11 or newer, and this is " + sys.version.split()[0])

from course.cli import main  # noqa: E402

sys.exit(main())
