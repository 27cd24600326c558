"""What `python -m edifice_py` does."""

import json
from argparse import Namespace

from edifice_py.interchange import formats
from edifice_py.interchange.inspection import inspect
from edifice_py.interchange.nx_file import NxDocument


def convert(options: Namespace) -> None:
    """Write the weights of a file into another, in the same or in another format.

    Between files of Nx all stays as it is, to the last byte, unless --container says otherwise.
    """
    document = formats.read(options.input, format=options.source)
    target = formats.format_of(options.output, options.target)
    same = isinstance(document, NxDocument) and target == "nx" and options.container is None
    formats.save(
        options.output,
        document.params,
        format=options.target,
        container=options.container,
        like=document if isinstance(document, NxDocument) and same else None,
        metadata=options.metadata,
    )


def inspect_file(options: Namespace) -> None:
    """Print names, types, shapes, NaN and infinities, the architecture and a digest of a file."""
    report = inspect(options.file, format=options.source)
    if options.json:
        print(json.dumps(report.as_json(), indent=2))
    else:
        for line in report.lines():
            print(line)
