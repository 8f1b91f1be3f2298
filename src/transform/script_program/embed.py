"""Writes a file as an array of a C header: embed.py INPUT OUTPUT NAME."""

import sys

source, target, name = sys.argv[1:]
with open(source, "rb") as file:
    data = file.read()
rows = [", ".join(str(byte) for byte in data[i : i + 20]) for i in range(0, len(data), 20)]
body = ",\n\t".join(rows)
with open(target, "w", encoding="ascii") as file:
    file.write(f"static const char {name}[] = {{\n\t{body}\n}};\n")
    file.write(f"static const size_t {name}_size = sizeof({name});\n")
