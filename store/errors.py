"""Every error a user can meet. A message names the input, what is wrong with it, and the way out.

CircuitstoreError
├── UsageError          what was asked for can't be meant              (exit code 2, HTTP 400)
│   ├── RecipeError     a recipe says what it may not
│   └── QueryError      an unknown query or a bad parameter
├── NotFoundError       nothing of that uid is stored                  (exit code 1, HTTP 404)
├── NothingLeftError    all that was asked for is there already        (exit code 0)
├── BundleError         a bundle that can't be loaded                  (exit code 1, HTTP 400)
├── ImportFormatError   a file that can't be imported                  (exit code 1, HTTP 400)
├── ModelError          a model, dictionary or task that can't be used (exit code 1)
├── StoreError          the database refused                           (exit code 1, HTTP 503)
│   └── AwayError       it is not there, and may be soon
├── LimitError          a limit of time, memory or size was reached    (exit code 1, HTTP 503)
│   └── CancelledError  nobody waits for the answer any more
└── CatalogueError      a query file that breaks the catalogue's rules (exit code 1)
"""


class CircuitstoreError(Exception):
    """The root: the program prints the message and no traceback."""

    exit_code = 1


class UsageError(CircuitstoreError):
    exit_code = 2


class RecipeError(UsageError):
    pass


class QueryError(UsageError):
    pass


class NotFoundError(CircuitstoreError):
    pass


class NothingLeftError(CircuitstoreError):
    exit_code = 0


class BundleError(CircuitstoreError):
    pass


class ImportFormatError(CircuitstoreError):
    pass


class ModelError(CircuitstoreError):
    pass


class StoreError(CircuitstoreError):
    pass


class AwayError(StoreError):
    pass


class LimitError(CircuitstoreError):
    pass


class CancelledError(LimitError):
    pass


class CatalogueError(CircuitstoreError):
    pass
