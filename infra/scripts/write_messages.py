"""Bring the catalogues of the client up to date with the words in the code: `./just messages`.

They hold the client's own words, and what servers and libraries refuse with. What is new stands
there untranslated, what is gone goes; translations stay as they are.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import NamedTuple

from infra.scripts.refusal_words import refusals
from sidetone.desktop.domain.wording import LANGUAGES, Language
from sidetone.desktop.infrastructure.catalogues import FOLDER, PLURALS, REFUSAL, load

CLIENT = FOLDER.parent


class Wording(NamedTuple):
    """A text in the code: its file and line, its forms in English, and what is put into it."""

    file: str
    line: int
    forms: tuple[str, ...]
    values: frozenset[str]
    refusal: bool = False


def all_wordings() -> Iterator[Wording]:
    """Yield what the client says of its own, then what it is refused with."""
    yield from wordings()
    for file, line, text in refusals():
        names = {name for _, name, _, _ in Formatter().parse(text) if name}
        yield Wording(file, line, (text,), frozenset(names), refusal=True)


def wordings(folder: Path = CLIENT) -> Iterator[Wording]:
    """Yield each call of ``tr`` and ``trn``; raises ``ValueError`` where a text is no literal."""
    for path in sorted(folder.rglob("*.py")):
        file = str(path.relative_to(folder))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                count = {"tr": 1, "trn": 2}.get(node.func.id, 0)
                if count:
                    yield _wording(file, node, count)


def _wording(file: str, call: ast.Call, count: int) -> Wording:
    texts = [text.value for text in call.args[:count] if isinstance(text, ast.Constant)]
    forms = tuple(text for text in texts if isinstance(text, str))
    if len(forms) != count:
        raise ValueError(f"{file}:{call.lineno}: what is translated must be a literal")
    named = {keyword.arg for keyword in call.keywords if keyword.arg}
    return Wording(file, call.lineno, forms, frozenset(named | ({"n"} if count > 1 else set())))


def catalogue(language: Language, found: list[Wording]) -> str:
    """Return the catalogue of *language* as a ``.po`` file, with what is translated already."""
    known = load(language)
    rule = next(rule for rule, plural in PLURALS.items() if plural is known.plural)
    header = (
        f"Language: {language}\n",
        "Content-Type: text/plain; charset=utf-8\n",
        f"Plural-Forms: {rule}\n",
    )
    blocks = ['msgid ""\nmsgstr ""\n' + "".join(f"{_quoted(line)}\n" for line in header)]
    files: dict[tuple[str, ...], set[str]] = {}
    for each in found:
        files.setdefault(each.forms, set()).add(each.file)
    refused = {each.forms for each in found if each.refusal}
    for forms, where in files.items():
        head = [f"#: {file}" for file in sorted(where)]
        head += [f"msgctxt {_quoted(REFUSAL)}"] if forms in refused else []
        blocks.append("\n".join([*head, _entry(forms, known.forms, int(rule[len("nplurals=")]))]))
    return "\n".join(blocks)


def _entry(forms: tuple[str, ...], known: Mapping[str, tuple[str, ...]], plurals: int) -> str:
    lines = [f"msgid {_quoted(forms[0])}"]
    translated = known.get(forms[0], ())
    if len(forms) == 1:
        lines.append(f"msgstr {_quoted(translated[0] if len(translated) == 1 else '')}")
    else:
        lines.append(f"msgid_plural {_quoted(forms[1])}")
        texts = translated if len(translated) == plurals else ("",) * plurals
        lines += [f"msgstr[{n}] {_quoted(text)}" for n, text in enumerate(texts)]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\t", "\\t") + '"'


def main() -> None:
    """Write every catalogue anew, and say what is left to translate."""
    found = list(all_wordings())
    for language in LANGUAGES[1:]:
        path = FOLDER / language / "LC_MESSAGES" / "sidetone.po"
        path.write_text(catalogue(language, found), encoding="utf-8")
        known = load(language).forms
        missing = {each.forms[0] for each in found} - known.keys()
        print(f"{path.relative_to(CLIENT)}: {len(known)} translated, {len(missing)} not")


if __name__ == "__main__":
    main()
