"""Reads a page in Prometheus' text format."""

import re

_LINE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)",?')


class MetricsPage:
    def __init__(self, text):
        self.text = text
        self.samples = []
        self.types = {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.types[name] = kind
            if not line or line.startswith("#"):
                continue
            match = _LINE.match(line)
            assert match, f"not a line of the text format: {line!r}"
            name, labels, value = match.groups()
            self.samples.append((name, dict(_LABEL.findall(labels or "")), float(value)))

    def names(self):
        return {name for name, _, _ in self.samples}

    def series(self, name, **labels):
        """(labels, value) of each sample of that name that has these labels."""
        wanted = labels.items()
        return [
            (have, value) for have_name, have, value in self.samples if have_name == name and wanted <= have.items()
        ]

    def value(self, name, **labels):
        """The sum over all samples that have these labels; 0 without any."""
        return sum(value for _, value in self.series(name, **labels))
