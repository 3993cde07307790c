#!/usr/bin/env python3
"""Turns a text file into a C++ constant.

usage: embed_text.py TEXT SOURCE NAMESPACE CONSTANT
"""
import pathlib
import sys


def main():
    text, source, namespace, constant = sys.argv[1:]
    body = pathlib.Path(text).read_text(encoding="utf-8")
    pathlib.Path(source).write_text(
        f"// Made from {pathlib.Path(text).name}.\n#include <string_view>\n\n"
        f"namespace {namespace} {{\n"
        f"extern const std::string_view {constant};\n"
        f'const std::string_view {constant} = R"text({body})text";\n'
        f"}}  // namespace {namespace}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
