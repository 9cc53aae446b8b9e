"""Writes the templates' files as a C table: python3 embed.py FOLDER OUTPUT FILE..."""

import pathlib
import sys


def literal(text):
    lines = text.splitlines(keepends=True)
    escaped = [
        line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for line in lines
    ]
    return "\n".join('     "%s"' % line for line in escaped)


def main(folder, output, names):
    with open(output, "w", encoding="utf-8") as out:
        out.write('#include "app/cli/templates.h"\n\n')
        out.write("const struct template_file template_files[] = {\n")
        for name in names:
            template, _, path = name.partition("/")
            text = pathlib.Path(folder, name).read_text(encoding="utf-8")
            out.write('    {"%s", "%s",\n%s},\n' % (template, path, literal(text)))
        out.write("};\nconst size_t template_file_count =\n")
        out.write("    sizeof template_files / sizeof *template_files;\n")


main(sys.argv[1], sys.argv[2], sys.argv[3:])
