"""The script of each shell: what it completes was read from the parsers when it was printed, so completing starts nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .completed_words import FILES, FOLDERS, NOTHING, WORDS, Option, Value, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

COMMAND: Final = "export-dedup"
_FUNCTION: Final = "_export_dedup"
_GLOBAL: Final = (
    Option(("--help", "-h"), "show what there is, and exit", None),
    Option(("--version",), "say which version this is, and exit", None),
)

_BASH: Final = """\
# bash completion of export-dedup, made by: export-dedup completion bash
{function}_lines() {{ # each line of the input that begins with the word is one completion, blanks and all
    local line
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done
}}

{function}() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} prev='' sub='' option='' words='' options=''
    local at
    COMPREPLY=()
    [ "$COMP_CWORD" -gt 0 ] && prev=${{COMP_WORDS[COMP_CWORD - 1]}}
    # bash makes three words of --project=DIR
    if [ "$cur" = = ]; then
        cur=''
        option=$prev
    elif [ "$prev" = = ] && [ "$COMP_CWORD" -gt 1 ]; then
        option=${{COMP_WORDS[COMP_CWORD - 2]}}
    else
        option=$prev
    fi
    for ((at = 1; at < COMP_CWORD; at++)); do
        case ${{COMP_WORDS[at]}} in
        {names})
            sub=${{COMP_WORDS[at]}}
            break
            ;;
        esac
    done
    case "$sub $option" in
{values}
    esac
    case $sub in
{subcommands}
    *)
        {function}_lines < <(compgen -W "{global_words}" -- "$cur")
        return
        ;;
    esac
    case $cur in
    -*) {function}_lines < <(compgen -W "$options" -- "$cur") ;;
    *)
        case $words in
        files) {function}_files -f ;;
        folders) {function}_files -d ;;
        *) {function}_lines < <(compgen -W "$words" -- "$cur") ;;
        esac
        ;;
    esac
}}

{function}_files() {{ # names are quoted, and folders go on with a slash, where bash can be told so (4 and newer)
    compopt -o filenames 2>/dev/null
    {function}_lines < <(compgen "$1" -- "$cur")
}}

complete -F {function} {command}
"""

_ZSH: Final = """\
#compdef {command}
# zsh completion of export-dedup, made by: export-dedup completion zsh
{function}() {{
    local context state state_descr line
    typeset -A opt_args
    local -a subcommands
    subcommands=(
{list}
    )
    _arguments -C {options} '1: :->subcommand' '*:: :->rest'
    case $state in
    subcommand) _describe -t commands subcommand subcommands ;;
    rest)
        case $words[1] in
{subcommands}
        esac
        ;;
    esac
}}

if [ "$funcstack[1]" = _{command} ]; then
    {function} "$@"
else
    compdef {function} {command}
fi
"""


def bash(every: Sequence[Words]) -> str:
    """For bash 3.2 and newer."""
    values = [
        f"    {each.name}\\ {name}) {_bash_value(option.value)} ;;"
        for each in every
        for option in each.options
        if option.value is not None
        for name in option.names
    ]
    subcommands = [
        f"    {each.name})\n        options='{' '.join(_names(each.options))}'\n        words='{_bash_words(each)}'\n        ;;"
        for each in every
    ]
    return _BASH.format(
        function=_FUNCTION,
        command=COMMAND,
        names=" | ".join(each.name for each in every),
        values="\n".join(values),
        subcommands="\n".join(subcommands),
        global_words=" ".join([*(each.name for each in every), *_names(_GLOBAL)]),
    )


def _bash_words(each: Words) -> str:
    value = each.arguments
    return " ".join(value.words) if value.kind == WORDS else "" if value.kind == NOTHING else value.kind


def _bash_value(value: Value) -> str:
    if value.kind == FILES:
        return f"{_FUNCTION}_files -f; return"
    if value.kind == FOLDERS:
        return f"{_FUNCTION}_files -d; return"
    return f"{_FUNCTION}_lines < <(compgen -W '{' '.join(value.words)}' -- \"$cur\"); return"


def zsh(every: Sequence[Words]) -> str:
    """For zsh, to be sourced behind ``compinit`` or put into a folder of ``fpath`` as ``_export-dedup``."""
    subcommands = []
    for each in every:
        known = [*map(_zsh_option, each.options), _quoted(f"*:{each.name}:{_zsh_value(each.arguments)}")]
        joined = " \\\n                ".join(known)
        subcommands.append(f"        {each.name})\n            _arguments \\\n                {joined}\n            ;;")
    return _ZSH.format(
        function=_FUNCTION,
        command=COMMAND,
        list="\n".join(f"        {_quoted(f'{each.name}:{each.help}')}" for each in every),
        options=" ".join(map(_zsh_option, _GLOBAL)),
        subcommands="\n".join(subcommands),
    )


def _zsh_option(option: Option) -> str:
    told = _escaped(option.help, "\\[]:")
    value = "" if option.value is None else f":{_escaped(option.names[-1].lstrip('-'), ':')}:{_zsh_value(option.value)}"
    sign = "" if option.value is None or len(option.names) > 1 else "="
    shown = [_quoted(f"{name}{sign}[{told}]{value}") for name in option.names]
    return " ".join(shown)


def _zsh_value(value: Value) -> str:
    return {FILES: "_files", FOLDERS: "_files -/", NOTHING: "( )"}.get(value.kind) or f"({' '.join(value.words)})"


def fish(every: Sequence[Words]) -> str:
    """For fish 3 and newer."""
    none = " ".join(each.name for each in every)
    bare = f"not __fish_seen_subcommand_from {none}"
    lines = [f"# fish completion of {COMMAND}, made by: {COMMAND} completion fish", f"complete -c {COMMAND} -f"]
    lines += [_fish(bare, option) for option in _GLOBAL]
    for each in every:
        lines.append(f"complete -c {COMMAND} -n {_quoted(bare)} -a {each.name} -d {_quoted(each.help)}")
    for each in every:
        seen = f"__fish_seen_subcommand_from {each.name}"
        lines += [_fish(seen, option) for option in each.options]
        if each.arguments.kind != NOTHING:
            lines.append(f"complete -c {COMMAND} -n {_quoted(seen)}{_fish_value(each.arguments, alone=True)}")
    return "\n".join(lines) + "\n"


def _fish(condition: str, option: Option) -> str:
    names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
    value = "" if option.value is None else _fish_value(option.value)
    return f"complete -c {COMMAND} -n {_quoted(condition)} {names}{value} -d {_quoted(option.help)}"


def _fish_value(value: Value, *, alone: bool = False) -> str:
    if value.kind == FILES:
        return " -F" if alone else " -r -F"
    takes = "" if alone else " -x"
    if value.kind == FOLDERS:
        return f"{takes} -a '(__fish_complete_directories)'"
    return f"{takes} -a {_quoted(' '.join(value.words))}" if value.words else takes


def _names(options: Iterable[Option]) -> list[str]:
    return [name for option in options for name in option.names]


def _quoted(text: str) -> str:
    """In single quotes, for all three shells (fish takes the closed, escaped and opened quote, too)."""
    return "'" + text.replace("'", "'\\''") + "'"


def _escaped(text: str, signs: str) -> str:
    return "".join(f"\\{each}" if each in signs else each for each in text)


SHELLS: Final[dict[str, Callable[[Sequence[Words]], str]]] = {"bash": bash, "zsh": zsh, "fish": fish}
