"""The command `spacy-bilstm`. What it needs is imported inside, so that Ctrl-C ends it cleanly from its first moment."""

import sys

INTERRUPTED = 130  # the exit code of a shell's command that Ctrl-C has stopped


def main() -> None:
    try:
        from .cli import main as run

        run()
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
