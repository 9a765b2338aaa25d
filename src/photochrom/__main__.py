"""``python -m photochrom``: the command line."""

from photochrom.cli import main

if __name__ == "__main__":
    main()
