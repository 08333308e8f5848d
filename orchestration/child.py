"""`python -m orchestration.child COMMAND`: a command of `kyalo` that ends with the process that started it."""

from orchestration.cli import main
from orchestration.stopping import end_with_parent

if __name__ == "__main__":
    end_with_parent()
    main()
